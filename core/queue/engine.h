#pragma once

#include "core/base/json.h"
#include "core/base/stop_token.h"
#include "core/net/endpoint.h"
#include "core/store/records.h"

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tempera {

/// Receives what a run reports. Called from the run's own thread; implementations return quickly.
/// core/store's RunWriter is the one that stores it; tests bring their own.
/// Events: the queue reports "started", "stopped", "cancelled", "failed" and "finished". The engine reports
/// "checkpoint", "evaluation", "warning", "log", and "resumed" with the step it goes on from (0 where it
/// starts anew): what was stored behind that step is then removed, so report it before anything else. A
/// progress in phase "saving" comes before a checkpoint is written: all that was reported is stored before it
/// returns, so that no checkpoint is ever ahead of its metrics.
class RunObserver {
public:
    virtual ~RunObserver() = default;
    virtual void on_progress(const Progress& progress) = 0;
    virtual void on_metrics(std::int64_t step, std::span<const Metric> metrics) = 0;
    virtual void on_event(const RunEvent& event) = 0;
    virtual void on_prompts(std::span<const PromptRecord> prompts) = 0;
    virtual void on_samples(std::span<const Sample> samples) = 0;
    virtual void on_sweep(std::span<const SweepCell> cells, std::span<const SweepRow> rows) = 0;
    virtual void on_rollouts(std::span<const RolloutGroup>) {}
    virtual void on_comparisons(std::span<const Comparison>) {}
    virtual void on_checkpoint(const CheckpointRecord& checkpoint) = 0;
    virtual void on_headline(const std::string& name, double value) = 0;
};

/// Run this recipe into this folder. Model references in the recipe are resolved to folders before it gets
/// here.
struct RunRequest {
    std::string kind;             ///< "sft", "sweep", "dpo", "reward", "rloo" ...
    Json recipe;                  ///< complete and validated
    std::filesystem::path folder; ///< the run folder; exists
    bool resume =
        false; ///< go on from the newest checkpoint that verifies, or from the stored samples; anew without
    int threads = 0;     ///< 0 = all cores
    KeyLookup keys = {}; ///< of endpoints, where the environment holds none
};

enum class RunOutcome { finished, stopped, cancelled };

struct SamplingOptions {
    int n = 1;
    double temperature = 1.0; ///< 0 = greedy
    double top_p = 1.0;
    int top_k = 0; ///< 0 = off
    double min_p = 0;
    double repetition_penalty = 1.0;
    int max_tokens = 256;
    std::uint64_t seed = 0;
    std::vector<std::string> stop;
    int slots = 0; ///< sequences computed together; 0 = chosen from the model's size and memory
};

struct NamedText {
    std::string text;
    std::string name = "The prompt"; ///< what errors call it
};

struct GeneratedSample {
    std::int64_t index = 0; ///< of the prompt, in input order
    int sample = 0;
    std::string text;
    std::vector<std::int32_t> token_ids;
    std::vector<float> logprobs;
    double logprob = 0;
    std::string finish;
};

struct CompletionLogprobs {
    double sum = 0;
    std::vector<std::int32_t> token_ids;
    std::vector<float> logprobs;
};

/// A model (with an optional adapter) in memory, for the scriptable verbs. One thread at a time.
class LoadedModel {
public:
    virtual ~LoadedModel() = default;
    /// Calls `deliver` for every sample, in input order (prompt-major, then sample index). Throws
    /// Error(bad_input), before anything is drawn, for a prompt that is empty or too long.
    virtual void generate(std::span<const NamedText> prompts, const SamplingOptions& options,
                          const std::function<void(const GeneratedSample&)>& deliver) = 0;
    /// Prompt and completion are tokenised alone and joined. Throws Error(bad_input) for a prompt that is
    /// empty or too long.
    virtual CompletionLogprobs logprobs(const NamedText& prompt, const std::string& completion) = 0;
};

/// What a reward model is asked: an answer to a prompt, or a text that is whole already.
struct RewardQuery {
    std::optional<std::string> prompt; ///< none: `text` is the whole text
    std::string text;                  ///< the answer
    std::string name = "The text";     ///< what errors call it
};

/// A reward model in memory. One thread at a time.
class LoadedRewardModel {
public:
    virtual ~LoadedRewardModel() = default;
    /// A score for every query, in order, whatever it is computed together with. Throws Error(numeric) naming
    /// the query whose score is not finite.
    virtual std::vector<double> score(std::span<const RewardQuery> queries) = 0;
};

/// Told between two tensors what goes on ("reading", "writing") and how many elements of how many are done.
using MergeProgress = std::function<void(const char* phase, std::int64_t done, std::int64_t total)>;

/// The narrow entry of libtempera_engine. Throws Error.
class Engine {
public:
    virtual ~Engine() = default;
    virtual RunOutcome run(const RunRequest& request, RunObserver& observer, const StopToken& stop) = 0;
    virtual std::unique_ptr<LoadedModel> load(const std::filesystem::path& model,
                                              const std::optional<std::filesystem::path>& adapter,
                                              int threads) = 0;
    /// `form` is how prompt and answer are put to it: "plain", "chat" or "pair"; "" = as the folder says.
    virtual std::unique_ptr<LoadedRewardModel> load_reward(const std::filesystem::path& model,
                                                           const std::string& form, int threads) = 0;
    /// Writes base + adapter, merged in fp32, as a Hugging Face folder, which appears as a whole or not at
    /// all. `stop` is looked at between two tensors: Error(stopped).
    virtual void merge(const std::filesystem::path& model, const std::filesystem::path& adapter,
                       const std::filesystem::path& target, const MergeProgress& progress = {},
                       const StopToken& stop = {}) = 0;
};

/// Loads libtempera_engine from beside libtempera_core (0.3 s, 120 MB, so only when the first job starts) and
/// returns its engine. Every call after the first returns the same one. Throws Error(not_found) where the
/// library cannot be loaded.
Engine& load_engine();

/// Where load_engine() looks: $TEMPERA_ENGINE (for a build against another libtorch), else beside
/// libtempera_core.
std::filesystem::path engine_library();

/// The symbol that libtempera_engine exports.
inline constexpr const char* engine_entry_symbol = "tempera_engine_entry";
extern "C" using EngineEntry = Engine * ();

} // namespace tempera
