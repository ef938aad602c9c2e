#include "core/base/error.h"
#include "core/base/files.h"
#include "core/engine/evaluate/pairs.h"
#include "core/engine/evaluate/sweep.h"
#include "core/engine/evaluate/win_rate.h"
#include "core/engine/lora/adapter_stack.h"
#include "core/engine/model/decoder_io.h"
#include "core/engine/reward/reward_model.h"
#include "core/engine/sample/sampler.h"
#include "core/engine/train/dpo.h"
#include "core/engine/train/machine.h"
#include "core/engine/train/reward.h"
#include "core/engine/train/rloo.h"
#include "core/engine/train/sft.h"
#include "core/queue/engine.h"

#include <cmath>
#include <map>
#include <utility>

namespace tempera {

namespace {

/// Every kind of run: its name in recipes and the function that does it.
using RunFunction = RunOutcome (*)(const RunRequest&, RunObserver&, const StopToken&);
constexpr std::pair<std::string_view, RunFunction> run_kinds[] = {
    {"sft", run_sft},     {"dpo", run_dpo},           {"rloo", run_rloo},   {"reward", run_reward},
    {"sweep", run_sweep}, {"win_rate", run_win_rate}, {"pairs", run_pairs},
};

/// Holds back what is drawn until everything before it was delivered.
class InOrder {
public:
    explicit InOrder(const std::function<void(const GeneratedSample&)>& deliver) : deliver_(deliver) {}
    void take(std::int64_t place, GeneratedSample&& sample) {
        held_.emplace(place, std::move(sample));
        for (auto first = held_.begin(); first != held_.end() && first->first == next_;
             first = held_.begin(), ++next_) {
            deliver_(first->second);
            held_.erase(first);
        }
    }

private:
    const std::function<void(const GeneratedSample&)>& deliver_;
    std::map<std::int64_t, GeneratedSample> held_;
    std::int64_t next_ = 0;
};

class TorchModel final : public LoadedModel {
public:
    TorchModel(const std::filesystem::path& model, const std::optional<std::filesystem::path>& adapter,
               int threads)
        : threads_(prepare_threads(threads)),
          decoder_(adapter ? load_with_adapter(model, *adapter) : load_decoder(model)),
          tokenizer_(Tokenizer::load(base_folder_of(model))) {}

    void generate(std::span<const NamedText> prompts, const SamplingOptions& options,
                  const std::function<void(const GeneratedSample&)>& deliver) override {
        SamplerOptions sampler_options;
        sampler_options.slots = options.slots;
        sampler_options.threads = threads_;
        sampler_options.max_tokens = options.max_tokens;
        sampler_options.stop = options.stop;
        Sampler sampler(decoder_, tokenizer_, sampler_options);
        std::vector<PromptRequest> requests;
        for (const NamedText& prompt : prompts) {
            requests.push_back({prompt.name, encode_prompt(prompt.text), {}});
            sampler.check(requests.back());
        }
        const std::int64_t n = std::max(1, options.n);
        std::int64_t next = 0;
        InOrder ordered(deliver);
        auto source = [&](PromptRequest& request) {
            if (next == static_cast<std::int64_t>(requests.size())) return false;
            request = std::move(requests[static_cast<std::size_t>(next)]);
            for (std::int64_t s = 0; s < n; ++s)
                request.sequences.push_back({next * n + s,
                                             {options.temperature, options.top_p, options.top_k,
                                              options.min_p, options.repetition_penalty},
                                             RandomStream(options.seed, static_cast<std::uint64_t>(next),
                                                          static_cast<std::uint32_t>(s))});
            ++next;
            return true;
        };
        sampler.run(source, [&](DrawnSequence&& drawn) {
            GeneratedSample sample;
            sample.index = drawn.tag / n;
            sample.sample = static_cast<int>(drawn.tag % n);
            sample.text = std::move(drawn.text);
            sample.token_ids = std::move(drawn.token_ids);
            sample.logprobs = std::move(drawn.logprobs);
            sample.logprob = drawn.logprob;
            sample.finish = std::move(drawn.finish);
            ordered.take(drawn.tag, std::move(sample));
        });
    }

    CompletionLogprobs logprobs(const NamedText& prompt, const std::string& completion) override {
        if (!scorer_) scorer_ = std::make_unique<Sampler>(decoder_, tokenizer_, scoring_options());
        CompletionLogprobs result;
        result.token_ids = tokenizer_.encode(completion);
        result.logprobs = scorer_->logprobs(encode_prompt(prompt.text), result.token_ids, prompt.name);
        for (float logprob : result.logprobs)
            result.sum += static_cast<double>(logprob);
        return result;
    }

private:
    SamplerOptions scoring_options() const {
        SamplerOptions options;
        options.threads = threads_;
        return options;
    }

    /// As transformers' tokenizers do by default: with the begin token, where the model's has one.
    std::vector<std::int32_t> encode_prompt(const std::string& prompt) const {
        return tokenizer_.encode(prompt, {.add_special_tokens = true});
    }

    int threads_;
    Decoder decoder_;
    Tokenizer tokenizer_;
    std::unique_ptr<Sampler> scorer_;
};

class TorchRewardModel final : public LoadedRewardModel {
public:
    TorchRewardModel(const std::filesystem::path& folder, const std::string& form, int threads)
        : threads_(prepare_threads(threads)), model_(RewardModel::load(folder, options_of(form))) {}

    std::vector<double> score(std::span<const RewardQuery> queries) override {
        std::vector<EncoderInput> inputs;
        for (const RewardQuery& query : queries)
            inputs.push_back(input_of(query));
        std::vector<double> scores =
            score_inputs(model_.encoder(), inputs, RewardModel::Options().batch_tokens);
        for (std::size_t i = 0; i < scores.size(); ++i)
            if (!std::isfinite(scores[i]))
                fail(ErrorKind::numeric,
                     queries[i].name + " gets no finite score; the reward model's weights are damaged.");
        return scores;
    }

private:
    static RewardModel::Options options_of(const std::string& form) {
        RewardModel::Options options;
        if (!form.empty()) options.form = reward_form_from(form);
        return options;
    }

    EncoderInput input_of(const RewardQuery& query) const {
        const RewardTokeniser& tokeniser = model_.tokeniser();
        try {
            return query.prompt ? tokeniser.encode({*query.prompt, query.text})
                                : tokeniser.encode_whole(query.text);
        } catch (const Error& error) {
            fail(error.kind(), query.name + ": " + error.what());
        }
    }

    int threads_;
    RewardModel model_;
};

class TorchEngine final : public Engine {
public:
    RunOutcome run(const RunRequest& request, RunObserver& observer, const StopToken& stop) override {
        for (const auto& [kind, function] : run_kinds)
            if (kind == request.kind) return function(request, observer, stop);
        fail(ErrorKind::unsupported, "This engine knows no run of kind \"" + request.kind + "\".");
    }

    std::unique_ptr<LoadedModel> load(const std::filesystem::path& model,
                                      const std::optional<std::filesystem::path>& adapter,
                                      int threads) override {
        return std::make_unique<TorchModel>(model, adapter, threads);
    }

    std::unique_ptr<LoadedRewardModel> load_reward(const std::filesystem::path& model,
                                                   const std::string& form, int threads) override {
        return std::make_unique<TorchRewardModel>(model, form, threads);
    }

    void merge(const std::filesystem::path& model, const std::filesystem::path& adapter,
               const std::filesystem::path& target, const MergeProgress& progress,
               const StopToken& stop) override {
        auto tell = [&](const char* phase) {
            return [&progress, &stop, phase](std::int64_t done, std::int64_t total) {
                if (stop) fail(ErrorKind::stopped, "Stopped; nothing was kept of the merge.");
                if (progress) progress(phase, done, total);
            };
        };
        prepare_threads(0);
        Decoder decoder = load_with_adapter(model, adapter, tell("reading"));
        merge_lora(decoder);
        StagedFolder folder(target);
        save_decoder(decoder, folder.path(), tell("writing"));
        copy_tokenizer_files(base_folder_of(model), folder.path());
        folder.commit();
    }
};

} // namespace

extern "C" [[gnu::visibility("default")]] Engine* tempera_engine_entry() {
    static TorchEngine engine;
    return &engine;
}

} // namespace tempera
