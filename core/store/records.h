#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tempera {

/// The plain structs that travel between engine, store and window.

/// One measured value of an optimiser step, named as TRL names it ("loss", "grad_norm", "eval_loss" ...).
struct Metric {
    std::string name;
    double value = 0;
};

/// A metric at a step, as it is read back.
struct MetricPoint {
    std::int64_t step = 0;
    double value = 0;
};

/// How far a run is. `done` and `total` count `unit`s ("steps", "samples"); total 0 = not known yet.
struct Progress {
    std::string phase; ///< what it does now: "loading", "training", "evaluating", "sampling", "saving"
    std::int64_t done = 0;
    std::int64_t total = 0;
    std::string unit;
    double rate = 0;         ///< tokens per second; of a download megabytes
    double eta_seconds = -1; ///< -1 = not known yet
    double memory_gib = 0;   ///< resident set of the process
};

/// Something worth a flag on the time axis or a line in the log.
struct RunEvent {
    std::int64_t id = 0;
    std::int64_t time_ms = 0; ///< Unix time
    std::int64_t step = -1;   ///< -1 = not tied to a step
    std::string kind; ///< "started", "resumed", "checkpoint", "evaluation", "warning", "health", "stopped",
                      ///< "failed", "finished", "log"
    std::string message;
};

/// A prompt that samples were drawn for; `facts` holds what the verifier needs, e.g.
/// {"nums":[..],"target":..}, as JSON text.
struct PromptRecord {
    std::int64_t index = 0;
    std::string text;
    std::string facts;
};

/// One drawn completion and what the verifier said of it.
struct Sample {
    double temperature = 0;
    std::int64_t prompt_index = 0;
    int sample_index = 0;
    std::string text;
    std::vector<std::int32_t> token_ids;
    std::vector<float>
        logprobs;         ///< of every drawn token, natural logarithm, under the model at temperature 1
    double logprob = 0;   ///< their sum
    std::string finish;   ///< "eos", "stop", "length"
    double score = 0;     ///< 0, 0.1 or 1 for Countdown
    std::string equation; ///< the extracted answer, "" where there is none
    std::string value;    ///< what it evaluates to, as an exact rational, "" where it does not
    std::string reason;   ///< why the score is what it is, one sentence
};

/// One cell of the temperature x N map: mean best-of-N score over the problems finished so far, with a
/// bootstrap 95 % interval.
struct SweepCell {
    double temperature = 0;
    int n = 1;
    double mean = 0;
    double low = 0;
    double high = 0;
    std::int64_t problems_done = 0;
    std::int64_t problems_total = 0;
};

/// What is shown per temperature below the map.
struct SweepRow {
    double temperature = 0;
    double score = 0;           ///< mean score of single samples
    double pass_at_1 = 0;       ///< share of samples with score 1
    double format_rate = 0;     ///< share with a readable answer (score > 0)
    double mean_length = 0;     ///< tokens
    double truncated_share = 0; ///< finish == "length"
    std::int64_t samples_done = 0;
    std::int64_t samples_total = 0;
};

/// One completion of a training rollout (RLOO), and what made its advantage.
struct RolloutSample {
    int sample_index = 0;
    std::string text;
    std::vector<std::int32_t> token_ids;
    std::vector<float>
        logprobs; ///< of every drawn token under the policy that drew it, at the rollout's temperature
    std::vector<float> ref_logprobs;       ///< the same under the reference; empty where there is none
    std::string finish;                    ///< "eos", "stop", "length"
    bool masked = false;                   ///< its tokens do not count in the loss (a truncated completion)
    std::map<std::string, double> rewards; ///< of every reward function, before weights; NaN = does not apply
    double reward = 0;                     ///< weighted sum, after clipping and penalties, before KL
    double kl = 0;                         ///< sum over its tokens of log policy - log reference
    double baseline = 0;                   ///< mean of the other completions' rewards
    double advantage = 0;
    std::string note; ///< the verifier's sentence, "" where there is none
};

/// One prompt of a rollout with its k completions.
struct RolloutGroup {
    std::int64_t step = 0; ///< the first optimiser step that trains on it
    int group = 0;         ///< its place in the rollout
    std::string prompt;
    std::string facts; ///< as PromptRecord's
    std::vector<RolloutSample> samples;
};

/// One side's answer to a prompt of a win-rate evaluation.
struct ComparedReply {
    std::string text;
    std::int64_t tokens = 0;
    std::string finish;
    double score = 0;                         ///< the judge's; NaN where it could not score
    std::string note;                         ///< the judge's sentence, "" where it gives none
    std::vector<std::int32_t> token_ids = {}; ///< by the answering model's tokenizer; may be empty
    std::vector<float> logprobs = {};         ///< of every drawn token, as Sample's
};

/// One prompt that both models answered.
struct Comparison {
    std::int64_t prompt_index = 0;
    std::string prompt;
    std::string facts;
    ComparedReply base;  ///< model A
    ComparedReply tuned; ///< model B: wins where its score is strictly higher
};

/// A durable checkpoint. `folder` is relative to the run folder.
struct CheckpointRecord {
    std::int64_t step = 0;
    std::string folder;
    std::optional<double> eval_loss;
    bool best = false;
};

enum class RunStatus { queued, running, stopping, stopped, finished, failed, cancelled, interrupted };
const char* name_of(RunStatus status);
RunStatus run_status_from(const std::string& name);
/// An engine is at work on it.
bool is_active(RunStatus status);
/// It neither waits nor works: what has not come by now does not come by itself.
bool has_ended(RunStatus status);

/// A row of the workspace catalogue.
struct RunRecord {
    std::string id;     ///< folder name under runs/
    std::string name;   ///< what the user calls it
    std::string study;  ///< id of its study, "" where it stands alone
    std::string stage;  ///< its stage's name in the study
    std::string kind;   ///< recipe kind: "sft", "sweep"
    std::string recipe; ///< the complete recipe, JSON text
    RunStatus status = RunStatus::queued;
    std::int64_t created_ms = 0;
    std::int64_t started_ms = 0;
    std::int64_t ended_ms = 0;
    std::int64_t position = 0; ///< order in the queue and the list
    Progress progress;
    std::map<std::string, double> headline; ///< e.g. {"eval_loss": .41} or {"best": .81}
    std::string error;                      ///< the failure's sentence
    std::string notes;
    std::vector<std::string> tags;
};

struct StudyRecord {
    std::string id;
    std::string name;
    std::string recipe; ///< the study file, JSON text
    std::int64_t created_ms = 0;
};

} // namespace tempera
