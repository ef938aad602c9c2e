#include "core/engine/evaluate/answers.h"

#include "core/base/counted.h"
#include "core/base/error.h"
#include "core/data/data_files.h"
#include "core/engine/model/decoder_io.h"
#include "core/engine/train/machine.h"
#include "core/format/model_config.h"
#include "core/queue/skipped_rows.h"

#include <cmath>
#include <cstdio>
#include <set>

namespace tempera {

namespace {

RewardFunction function_of(const JudgeFields& fields, const DeviceFields& device) {
    if (fields.judge == "remote") return {};
    if (fields.judge != "reward_model") return make_reward_function(fields.judge, {});
    RewardOptions options;
    options.reward_model = fields.reward_model;
    options.device = select_device(device.device);
    return make_reward_function("model", options);
}

/// Throws where a stop left nothing.
std::vector<JudgeScore> all_of(std::vector<JudgeScore> scores, std::size_t wanted) {
    if (scores.size() != wanted)
        fail(ErrorKind::stopped, "Stopped while the judge was asked; its replies are kept.");
    return scores;
}

/// How a model reads prompts; `base` is its folder, or that of the model that its adapters are of.
struct PromptReader {
    PromptReader(const std::filesystem::path& base, const PromptFields& fields)
        : tokenizer(Tokenizer::load(base)),
          style(fields.chat_template == "model" ? ChatTemplate::load(base)
                                                : ChatTemplate::named(fields.chat_template)) {}
    std::vector<std::int32_t> ids(const TaskPrompt& prompt) const {
        // A chat template writes the special tokens itself.
        return tokenizer.encode(prompt_text(prompt, style), {.add_special_tokens = prompt.messages.empty()});
    }
    Tokenizer tokenizer;
    ChatTemplate style;
};

/// The prompts that leave every model in memory room to answer; of the others `bad` decides.
std::vector<TaskPrompt> with_room(std::vector<TaskPrompt> prompts, const PromptFields& fields,
                                  const std::vector<std::string>& models, BadRows& bad) {
    std::set<std::filesystem::path> bases; // an adapter reads as its base does
    for (const std::string& model : models)
        if (!names_an_endpoint(model)) bases.insert(base_folder_of(model));
    std::vector<std::pair<PromptReader, std::int64_t>> readers; // and positions
    for (const auto& base : bases)
        readers.emplace_back(PromptReader(base, fields), read_model_config(base).max_positions);
    std::vector<TaskPrompt> kept;
    for (std::size_t i = 0; i < prompts.size(); ++i)
        try {
            for (const auto& [reader, positions] : readers)
                check_prompt_length(std::ssize(reader.ids(prompts[i])), positions, name_of(prompts[i], i));
            kept.push_back(std::move(prompts[i]));
        } catch (const Error& error) {
            bad.skip(error);
        }
    return kept;
}

} // namespace

std::vector<TaskPrompt> prompts_of(const PromptFields& fields, const std::vector<std::string>& models,
                                   RunObserver& observer) {
    PromptSetOptions options;
    options.data = fields.data;
    options.split = fields.split;
    options.count = fields.prompts;
    options.data_seed = static_cast<std::uint64_t>(fields.data_seed);
    options.prompt_style = fields.prompt_style;
    options.system = fields.system;
    options.columns = fields.columns;
    options.bad_rows = fields.bad_rows;
    SkippedRows skipped;
    auto prompts = make_prompt_set(options, &skipped);
    if (names_data(fields.data)) {
        BadRows bad(fields.bad_rows, std::move(skipped));
        prompts = with_room(std::move(prompts), fields, models, bad);
        if (prompts.empty()) bad.fail_all(fields.data);
        skipped = bad.skipped();
    }
    report_skipped(skipped, observer);
    return prompts;
}

Answer answer_from(DrawnSequence&& drawn) {
    Answer answer;
    answer.text = std::move(drawn.text);
    answer.finish = std::move(drawn.finish);
    answer.token_ids = std::move(drawn.token_ids);
    answer.logprobs = std::move(drawn.logprobs);
    answer.logprob = drawn.logprob;
    answer.tokens = static_cast<std::int64_t>(answer.token_ids.size());
    return answer;
}

Answer answer_from(RemoteSample&& drawn) {
    Answer answer;
    answer.tokens = std::max<std::int64_t>(drawn.tokens, 0);
    if (drawn.fault != ReplyFault::none) {
        answer.text = std::move(drawn.raw);
        answer.finish = failed_finish;
        answer.fault = std::move(drawn.sentence);
        return answer;
    }
    answer.text = std::move(drawn.text.text);
    answer.finish = std::move(drawn.text.finish);
    answer.logprobs = std::move(drawn.text.logprobs);
    for (float logprob : answer.logprobs)
        answer.logprob += static_cast<double>(logprob);
    return answer;
}

/// A model in memory. The sampler refers to the members before it.
struct Answerer::Local {
    Local(const std::filesystem::path& folder, const PromptFields& prompts, const SamplingFields& sampling,
          const DeviceFields& device, int threads)
        : decoder(load_decoder(folder)), reader(base_folder_of(folder), prompts) {
        move_decoder(decoder, select_device(device.device),
                     device.dtype == "bfloat16" ? at::kBFloat16 : at::kFloat);
        SamplerOptions options;
        options.slots = static_cast<int>(sampling.slots);
        options.threads = threads;
        options.max_tokens = sampling.max_tokens;
        options.stop = sampling.stop;
        if (!reader.style.end_of_turn().empty()) options.stop.push_back(reader.style.end_of_turn());
        sampler = std::make_unique<Sampler>(decoder, reader.tokenizer, options);
    }
    Decoder decoder;
    PromptReader reader;
    std::unique_ptr<Sampler> sampler;
};

Answerer::Answerer(const std::string& model, const PromptFields& prompts, const SamplingFields& sampling,
                   const DeviceFields& device, const RunRequest& request)
    : sampling_(sampling) {
    if (names_an_endpoint(model))
        remote_ = std::make_unique<RemoteModel>(model, sampling, prompts.chat_template, request.keys);
    else
        local_ = std::make_unique<Local>(model, prompts, sampling, device, request.threads);
}

Answerer::~Answerer() = default;

std::string Answerer::text_of(const TaskPrompt& prompt) const {
    return remote_ ? remote_->text_of(prompt) : prompt_text(prompt, local_->reader.style);
}

std::string Answerer::phase(const char* usual) const {
    return remote_ ? remote_->phase(usual) : usual;
}

std::string Answerer::pace() const {
    return std::to_string(remote_ ? remote_->client().endpoint().concurrency : local_->sampler->slots())
           + (remote_ ? " requests at a time" : " at a time");
}

std::int64_t Answerer::drawn_tokens() const {
    return remote_ ? remote_->sampler().drawn_tokens() : local_->sampler->drawn_tokens();
}

void Answerer::answer(std::span<const TaskPrompt> prompts, double temperature, const Wanted& wanted,
                      const Receive& receive, const Sampler::Interrupted& interrupted, const Notice& notice) {
    const auto seed = static_cast<std::uint64_t>(sampling_.seed);
    std::size_t next = 0;
    std::vector<int> samples;
    // The next prompt that misses samples, at `next`.
    auto find_next = [&] {
        for (; next < prompts.size(); ++next)
            if (samples = wanted(next); !samples.empty()) return true;
        return false;
    };
    auto tag_of = [&](int sample) { return static_cast<std::int64_t>(next << 16) + sample; };
    auto take = [&](std::int64_t tag, Answer&& answer) {
        receive(static_cast<std::size_t>(tag >> 16), static_cast<int>(tag & 0xffff), std::move(answer));
    };
    if (remote_) {
        if (std::string sentence = remote_->left_out(); !sentence.empty()) notice(sentence);
        auto source = [&](RemotePrompt& prompt) {
            if (!find_next()) return false;
            prompt.ask = remote_->request(prompts[next], temperature);
            for (int sample : samples) {
                prompt.tags.push_back(tag_of(sample));
                prompt.seeds.push_back(server_seed(seed, next, static_cast<std::uint32_t>(sample)));
            }
            ++next;
            return true;
        };
        remote_->sampler().run(
            source,
            [&](RemoteSample&& drawn) {
                const std::int64_t tag = drawn.tag;
                take(tag, answer_from(std::move(drawn)));
            },
            interrupted, notice);
        return notice(remote_->usage_words());
    }
    const DrawSettings settings{temperature, sampling_.top_p, static_cast<int>(sampling_.top_k),
                                sampling_.min_p, sampling_.repetition_penalty};
    auto source = [&](PromptRequest& request) {
        if (!find_next()) return false;
        for (int sample : samples)
            request.sequences.push_back(
                {tag_of(sample), settings, RandomStream(seed, next, static_cast<std::uint32_t>(sample))});
        const TaskPrompt& prompt = prompts[next];
        request.name = name_of(prompt, next);
        request.ids = local_->reader.ids(prompt);
        ++next;
        return true;
    };
    local_->sampler->run(
        source,
        [&](DrawnSequence&& drawn) {
            const std::int64_t tag = drawn.tag;
            take(tag, answer_from(std::move(drawn)));
        },
        interrupted);
}

Judge::Judge(const JudgeFields& fields, const DeviceFields& device, const RunRequest& request,
             const StopToken& stop)
    : fields_(fields), stop_(stop),
      remote_(fields.judge == "remote" ? connect_judge(fields, request.keys) : nullptr),
      function_(function_of(fields, device)) {}

void Judge::require_facts(std::span<const TaskPrompt> prompts) const {
    if (fields_.judge == "reward_model" || remote_) return; // they judge anything
    std::vector<JudgedReply> empty;
    for (const TaskPrompt& prompt : prompts)
        empty.push_back({&prompt, {}, "eos"});
    const auto scores = score(empty);
    for (std::size_t i = 0; i < scores.size(); ++i)
        if (std::isnan(scores[i].value))
            fail(ErrorKind::bad_input, name_of(prompts[i], i) + " (\"" + prompts[i].text.substr(0, 60)
                                           + "\") says nothing that judge \"" + fields_.judge
                                           + "\" could check: choose another judge or other prompts.");
}

std::vector<RewardScore> Judge::score(std::span<const JudgedReply> replies,
                                      const RemoteJudge::OnProgress& progress) const {
    if (remote_) {
        std::vector<JudgeQuery> queries;
        for (const JudgedReply& reply : replies)
            queries.push_back({reply.prompt->text, reply.text, {}, reply.prompt->conversation});
        std::vector<RewardScore> scores;
        for (JudgeScore& score : all_of(remote_->score(queries, stop_, progress), replies.size()))
            scores.push_back({score.value, std::move(score.note)});
        return scores;
    }
    std::vector<RewardInput> inputs;
    for (const JudgedReply& reply : replies) {
        RewardInput input;
        input.prompt = reply.prompt->text;
        input.facts = reply.prompt->facts;
        input.completion = reply.text;
        input.finish = reply.finish;
        input.conversation = reply.prompt->conversation;
        inputs.push_back(input);
    }
    return function_(inputs);
}

std::vector<std::pair<RewardScore, RewardScore>>
Judge::score_both(std::span<const JudgedReply> base, std::span<const JudgedReply> tuned,
                  const RemoteJudge::OnProgress& progress) const {
    std::vector<std::pair<RewardScore, RewardScore>> both;
    if (!compares()) {
        std::vector<JudgedReply> all(base.begin(), base.end());
        all.insert(all.end(), tuned.begin(), tuned.end());
        auto scores = score(all, progress);
        for (std::size_t i = 0; i < base.size(); ++i)
            both.emplace_back(std::move(scores[i]), std::move(scores[base.size() + i]));
        return both;
    }
    std::vector<JudgeQuery> queries;
    for (std::size_t i = 0; i < base.size(); ++i)
        queries.push_back({base[i].prompt->text, tuned[i].text, base[i].text, base[i].prompt->conversation});
    for (const JudgeScore& score : all_of(remote_->compare(queries, stop_, progress), base.size()))
        both.push_back({{1 - score.value, score.note}, {score.value, score.note}});
    return both;
}

std::size_t Judge::batch() const {
    return remote_ ? 4 * static_cast<std::size_t>(remote_->asker().concurrency) : 1024;
}

JudgeMeter::JudgeMeter(const Judge& judge, const std::filesystem::path& folder, bool resumed)
    : judge_(judge) {
    if (!judge.remote() || !resumed) return;
    RunReader reader(folder);
    before_ = reported_tally(reader);
}

std::vector<Metric> JudgeMeter::metrics() const {
    return judge_.remote() ? judge_metrics(judge_.remote()->tally(), before_) : std::vector<Metric>();
}

std::string JudgeMeter::sentence() const {
    if (!judge_.remote()) return "";
    const AskTally& tally = judge_.remote()->tally();
    const Asker& asker = judge_.remote()->asker();
    std::string text = asker.name + " was asked " + counted(tally.asked, "time") + " ("
                       + std::to_string(tally.failed) + " without a reply), " + std::to_string(tally.stored)
                       + " replies were there already; " + std::to_string(tally.prompt_tokens)
                       + " tokens of prompts and " + std::to_string(tally.completion_tokens) + " of replies";
    if (asker.has_prices) {
        char cost[32];
        std::snprintf(cost, sizeof cost, ", cost %.4f", tally.cost);
        text += cost;
    }
    return text + ".";
}

} // namespace tempera
