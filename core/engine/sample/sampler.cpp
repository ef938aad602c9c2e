#include "core/engine/sample/sampler.h"

#include "core/base/error.h"
#include "core/engine/sample/decode_backend.h"
#include "core/engine/sample/thread_team.h"

#include <ATen/Parallel.h>
#include <algorithm>
#include <cmath>
#include <deque>
#include <fstream>
#include <numeric>
#include <optional>
#include <string_view>
#include <thread>

namespace tempera {

namespace {

std::int64_t available_memory() {
    std::ifstream file("/proc/meminfo");
    std::string name;
    std::int64_t kib = 0;
    while (file >> name >> kib) {
        if (name == "MemAvailable:") return kib * 1024;
        file.ignore(64, '\n');
    }
    return std::int64_t{2} << 30;
}

/// As many as make the products fast, as far as half of the free memory holds their caches.
int choose_slots(const DecodeBackend& backend, std::int64_t tokens) {
    const std::int64_t wanted = backend.parallel_chains() > 1
                                    ? backend.parallel_chains() * 2 * backend.max_batch()
                                    : backend.max_batch();
    const std::int64_t bytes = std::max<std::int64_t>(1, tokens * backend.cache_bytes_per_token());
    return static_cast<int>(std::clamp<std::int64_t>(available_memory() / 2 / bytes, 1, wanted));
}

} // namespace

struct Sampler::Prompt {
    PromptRequest request;
    std::unique_ptr<TokenCache> cache;
    std::vector<float> logits; ///< behind its last token: every sequence draws its first token from them
    std::size_t started = 0;   ///< sequences
};

struct Sampler::Sequence {
    std::shared_ptr<Prompt> prompt;
    SequenceRequest request;
    std::unique_ptr<TokenCache> own;
    const float* logits = nullptr; ///< to draw from; null once drawn
    DrawnToken token;
    DrawnSequence result;
    std::optional<StreamingDecoder> decoder; ///< where there are stop strings to look for
    std::string text;
};

Sampler::Sampler(const Decoder& decoder, const Tokenizer& tokenizer, SamplerOptions options)
    : decoder_(decoder), tokenizer_(tokenizer), options_(std::move(options)),
      end_ids_(decoder.config.eos_ids) {
    const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
    const int threads =
        std::clamp(options_.threads > 0 ? options_.threads : at::get_num_threads(), 1, 2 * cores);
    team_ = std::make_unique<ThreadTeam>(threads);
    backend_ = make_decode_backend(decoder, *team_);
    std::erase_if(options_.stop, [&](const std::string& stop) {
        std::optional<std::int32_t> id = tokenizer.id_of(stop);
        if (id && tokenizer.is_special(*id)) stop_ids_.push_back(*id);
        return stop.empty() || (id && tokenizer.is_special(*id));
    });
    options_.max_tokens = std::max<std::int64_t>(1, options_.max_tokens);
    slots_ = options_.slots > 0
                 ? options_.slots
                 : choose_slots(*backend_, std::min(options_.max_tokens, decoder.config.max_positions));
    for (int i = 0; i < threads; ++i)
        drawers_.emplace_back(decoder.config.vocab_size);
    if (auto id = tokenizer.eos_id(); id && !std::ranges::count(end_ids_, *id)) end_ids_.push_back(*id);
}

Sampler::~Sampler() = default;

void check_prompt_length(std::int64_t tokens, std::int64_t max_positions, const std::string& name) {
    if (tokens == 0) fail(ErrorKind::bad_input, name + " is empty: give it at least one character.");
    if (tokens >= max_positions)
        fail(ErrorKind::bad_input,
             name + " has " + std::to_string(tokens) + " tokens, but the model's context holds "
                 + std::to_string(max_positions) + " and needs room for the completion: shorten the prompt.");
}

void Sampler::check(const PromptRequest& request) const {
    check_prompt_length(static_cast<std::int64_t>(request.ids.size()), decoder_.config.max_positions,
                        request.name);
    for (std::int32_t id : request.ids)
        if (id < 0 || id >= decoder_.config.vocab_size)
            fail(ErrorKind::bad_input, "The tokenizer gives id " + std::to_string(id)
                                           + ", but the model knows only "
                                           + std::to_string(decoder_.config.vocab_size)
                                           + " tokens: use the tokenizer that belongs to the model.");
}

namespace {

[[noreturn]] void fail_not_finite() {
    fail(ErrorKind::numeric,
         "The model computes NaN or infinity: its weights are damaged, or a training run has diverged.");
}

std::vector<DecodeBackend::Batch> cut(std::span<const Lane> lanes, std::int64_t most) {
    std::vector<DecodeBackend::Batch> batches;
    for (std::size_t at = 0; at < lanes.size(); at += static_cast<std::size_t>(most))
        batches.push_back(lanes.subspan(at, std::min(static_cast<std::size_t>(most), lanes.size() - at)));
    return batches;
}

} // namespace

/// Reads all of them together, several short ones in one batch.
void Sampler::read_prompts(std::vector<std::shared_ptr<Prompt>>& prompts) {
    const auto count = static_cast<std::int64_t>(prompts.size());
    const std::int64_t groups =
        std::clamp<std::int64_t>(backend_->parallel_chains(), 1, std::max<std::int64_t>(count, 1));
    std::vector<std::vector<Lane>> lanes(static_cast<std::size_t>(groups));
    for (std::int64_t i = 0; i < count; ++i) {
        Prompt& prompt = *prompts[static_cast<std::size_t>(i)];
        prompt.cache = backend_->make_cache();
        prompt.cache->reserve(static_cast<std::int64_t>(prompt.request.ids.size()));
        prompt.logits.resize(static_cast<std::size_t>(backend_->padded_vocab()));
        std::vector<Lane>& group = lanes[static_cast<std::size_t>(i * groups / count)];
        std::int64_t position = 0;
        for (std::int32_t id : prompt.request.ids)
            group.push_back({.token = id, .position = position++, .prompt = prompt.cache.get()});
        group.back().logits = prompt.logits.data();
    }
    std::vector<DecodeBackend::Chain> chains;
    for (const std::vector<Lane>& group : lanes)
        chains.push_back(cut(group, backend_->max_batch()));
    if (!backend_->run(chains)) fail_not_finite();
}

/// Whether the text now holds a stop string; then it is cut in front of the one that was complete first.
bool Sampler::stops(Sequence& s) const {
    if (options_.stop.empty()) return false;
    const std::size_t before = s.text.size();
    s.text += s.decoder->push(s.token.id);
    std::size_t best_begin = 0, best_end = std::string::npos;
    for (const std::string& stop : options_.stop) {
        std::size_t from = before >= stop.size() - 1 ? before - (stop.size() - 1) : 0;
        std::size_t begin = s.text.find(stop, from);
        if (begin == std::string::npos) continue;
        std::size_t end = begin + stop.size();
        if (end < best_end || (end == best_end && begin < best_begin)) best_begin = begin, best_end = end;
    }
    if (best_end == std::string::npos) return false;
    s.text.resize(best_begin);
    return true;
}

/// Adds the drawn token; whether the sequence ends with it.
bool Sampler::ends(Sequence& s) const {
    DrawnSequence& r = s.result;
    r.token_ids.push_back(s.token.id);
    r.logprobs.push_back(s.token.logprob);
    r.tempered.push_back(s.token.tempered);
    r.logprob += static_cast<double>(s.token.logprob);
    const auto drawn = static_cast<std::int64_t>(r.token_ids.size());
    const auto prompt = static_cast<std::int64_t>(s.prompt->request.ids.size());
    if (std::ranges::count(end_ids_, s.token.id) || std::ranges::count(stop_ids_, s.token.id)) {
        r.finish = std::ranges::count(end_ids_, s.token.id) ? "eos" : "stop";
        r.text = tokenizer_.decode(std::span(r.token_ids).first(r.token_ids.size() - 1), true);
    } else if (stops(s)) {
        r.finish = "stop";
        r.text = std::move(s.text);
    } else if (drawn >= options_.max_tokens || prompt + drawn >= decoder_.config.max_positions) {
        r.finish = "length";
        r.text = tokenizer_.decode(r.token_ids, true);
    }
    return !r.finish.empty();
}

/// One call of run().
struct Sampler::Run {
    Sampler& sampler;
    const Source& source;
    const Sink& sink;
    std::deque<std::shared_ptr<Prompt>> waiting = {}; ///< read, with sequences that have not started
    std::vector<std::unique_ptr<Sequence>> active = {};
    std::vector<float> rows = {}; ///< logits of the active sequences
    bool exhausted = false;

    std::size_t slots() const { return static_cast<std::size_t>(sampler.slots_); }

    /// Fills free slots; reads as many prompts together as that takes.
    void admit() {
        std::size_t ready = 0;
        for (const auto& prompt : waiting)
            ready += prompt->request.sequences.size() - prompt->started;
        std::vector<std::shared_ptr<Prompt>> fresh;
        // never much less than a batch at once: reading ten tokens takes nearly as long as reading 64
        std::int64_t tokens = 0;
        auto worth_more = [&] { return !fresh.empty() && tokens < sampler.backend_->max_batch(); };
        while ((active.size() + ready < slots() || worth_more()) && !exhausted) {
            auto prompt = std::make_shared<Prompt>();
            exhausted = !source(prompt->request);
            if (exhausted || prompt->request.sequences.empty()) continue;
            sampler.check(prompt->request);
            ready += prompt->request.sequences.size();
            tokens += static_cast<std::int64_t>(prompt->request.ids.size());
            fresh.push_back(std::move(prompt));
        }
        if (!fresh.empty()) sampler.read_prompts(fresh);
        waiting.insert(waiting.end(), fresh.begin(), fresh.end());
        while (active.size() < slots() && !waiting.empty())
            start_next();
    }

    void start_next() {
        std::shared_ptr<Prompt> prompt = waiting.front();
        auto s = std::make_unique<Sequence>();
        s->request = std::move(prompt->request.sequences[prompt->started++]);
        s->result.tag = s->request.tag;
        s->own = sampler.backend_->make_cache();
        s->logits = prompt->logits.data();
        if (!sampler.options_.stop.empty()) s->decoder.emplace(sampler.tokenizer_);
        if (prompt->started == prompt->request.sequences.size()) waiting.pop_front();
        s->prompt = std::move(prompt);
        active.push_back(std::move(s));
    }

    static void draw_one(Sequence& s, TokenDrawer& drawer) {
        if (!s.logits) return;
        const std::vector<std::int32_t>& drawn = s.result.token_ids;
        const double uniform = s.request.stream.uniform_at(static_cast<std::uint32_t>(drawn.size()));
        s.token = drawer.draw(s.logits, s.request.settings, s.prompt->request.ids, drawn, uniform);
    }

    /// A token for every sequence that has logits; ended ones leave. Returns whether any did.
    bool draw() {
        auto draw_all = [&](ThreadTeam::Member& member) {
            TokenDrawer& drawer = sampler.drawers_[static_cast<std::size_t>(member.index())];
            member.share(static_cast<std::int64_t>(active.size()), 4,
                         [&](std::int64_t begin, std::int64_t end) {
                             for (std::int64_t i = begin; i < end; ++i)
                                 draw_one(*active[static_cast<std::size_t>(i)], drawer);
                         });
        };
        // waking the team takes as long as going over some ten thousand logits
        ThreadTeam::Member alone;
        FlushDenormals flush;
        if (static_cast<std::int64_t>(active.size()) * sampler.backend_->padded_vocab() < 30'000)
            draw_all(alone);
        else
            sampler.team_->run(draw_all);
        const std::size_t before = active.size();
        std::erase_if(active, [&](std::unique_ptr<Sequence>& s) {
            if (!std::exchange(s->logits, nullptr)) return false;
            if (!std::isfinite(s->token.logprob)) fail_not_finite();
            ++sampler.drawn_tokens_;
            if (!sampler.ends(*s)) return false;
            sink(std::move(s->result));
            return true;
        });
        return active.size() < before;
    }

    /// One step of all active sequences.
    void forward() {
        DecodeBackend& backend = *sampler.backend_;
        const auto count = static_cast<std::int64_t>(active.size());
        const std::int64_t row = backend.padded_vocab(), chains = backend.parallel_chains();
        rows.resize(std::max(rows.size(), static_cast<std::size_t>(count * row)));
        std::vector<Lane> lanes;
        for (std::int64_t i = 0; i < count; ++i) {
            Sequence& s = *active[static_cast<std::size_t>(i)];
            const auto drawn = static_cast<std::int64_t>(s.result.token_ids.size());
            const auto prompt = static_cast<std::int64_t>(s.prompt->request.ids.size());
            s.own->reserve(drawn);
            float* logits = rows.data() + i * row;
            s.logits = logits;
            lanes.push_back(
                {s.token.id, prompt + drawn - 1, s.prompt->cache.get(), prompt, s.own.get(), logits});
        }
        std::int64_t pieces = (count + backend.max_batch() - 1) / backend.max_batch();
        if (count >= 8 * chains) pieces = (pieces + chains - 1) / chains * chains;
        std::int64_t lanes_each = (count + pieces - 1) / pieces;
        if (chains == 1) lanes_each = std::min(backend.max_batch(), (lanes_each + 15) / 16 * 16);
        std::vector<DecodeBackend::Chain> work;
        for (DecodeBackend::Batch batch : cut(lanes, lanes_each))
            work.push_back({batch});
        if (!backend.run(work)) fail_not_finite();
    }
};

void Sampler::run(const Source& source, const Sink& sink, const Interrupted& interrupted) {
    Run run{*this, source, sink};
    for (;;) {
        if (interrupted && interrupted()) return;
        run.admit();
        if (run.active.empty()) return;
        if (run.draw() && !(run.exhausted && run.waiting.empty())) continue; // fill the slots first
        if (!run.active.empty()) run.forward();
    }
}

std::vector<float> Sampler::logprobs(std::span<const std::int32_t> prompt,
                                     std::span<const std::int32_t> completion, const std::string& name) {
    PromptRequest request{name, {prompt.begin(), prompt.end()}, {}};
    check(request);
    std::vector<float> result(completion.size());
    if (completion.empty()) return result;
    request.name += " with its completion";
    request.ids.insert(request.ids.end(), completion.begin(), completion.end() - 1);
    check(request);
    if (completion.back() < 0 || completion.back() >= decoder_.config.vocab_size)
        fail(ErrorKind::bad_input,
             "The tokenizer gives an id the model does not know: use the tokenizer that belongs to it.");
    std::unique_ptr<TokenCache> cache = backend_->make_cache();
    cache->reserve(static_cast<std::int64_t>(request.ids.size()));
    const auto row = static_cast<std::size_t>(backend_->padded_vocab());
    std::vector<float> rows(static_cast<std::size_t>(backend_->max_batch()) * row);
    std::vector<Lane> lanes;
    for (std::int32_t id : request.ids) {
        const auto at = static_cast<std::int64_t>(lanes.size());
        float* logits = at + 1 < static_cast<std::int64_t>(prompt.size())
                            ? nullptr
                            : rows.data() + static_cast<std::size_t>(at % backend_->max_batch()) * row;
        lanes.push_back({.token = id, .position = at, .prompt = cache.get(), .logits = logits});
    }
    for (DecodeBackend::Batch batch : cut(lanes, backend_->max_batch())) {
        std::vector<DecodeBackend::Chain> chain{{batch}};
        if (!backend_->run(chain)) fail_not_finite();
        team_->run([&](ThreadTeam::Member& member) {
            member.share(
                static_cast<std::int64_t>(batch.size()), 4, [&](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t i = begin; i < end; ++i) {
                        const Lane& lane = batch[static_cast<std::size_t>(i)];
                        if (!lane.logits) continue;
                        const std::size_t at = static_cast<std::size_t>(lane.position) + 1 - prompt.size();
                        result[at] = drawers_[static_cast<std::size_t>(member.index())].logprob(
                            lane.logits, completion[at]);
                    }
                });
        });
    }
    return result;
}

} // namespace tempera
