#pragma once

#include "core/store/records.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tempera {

/// Reads a run folder's run.db while another thread or process writes it: a read-only connection, short
/// transactions. An absent or empty run.db reads as an empty run. One thread at a time. Throws Error(io,
/// bad_input).
class RunReader {
public:
    explicit RunReader(const std::filesystem::path& folder);
    ~RunReader();
    RunReader(RunReader&&) noexcept;

    /// Rises with every commit that changed anything; cheap. The same value as before means there is nothing
    /// new to read.
    std::int64_t version() const;

    std::vector<std::string> metric_names() const;
    /// Points of a metric with step > after_step, in step order.
    std::vector<MetricPoint> metric(const std::string& name, std::int64_t after_step = -1) const;
    /// Events with id > after_id, in order. kind "log" are the log's lines.
    std::vector<RunEvent> events(std::int64_t after_id = 0) const;
    Progress progress() const;
    std::map<std::string, double> headline() const;
    std::vector<CheckpointRecord> checkpoints() const;

    std::vector<SweepCell> sweep_cells() const;
    std::vector<SweepRow> sweep_rows() const;
    std::vector<PromptRecord> prompts() const;
    std::vector<double> sampled_temperatures() const;
    /// All samples of one prompt at one temperature, by sample index.
    std::vector<Sample> samples(double temperature, std::int64_t prompt_index) const;
    /// Per prompt at `temperature`: the scores of its samples in sample order (what lists and filters need,
    /// without texts).
    struct PromptScores {
        std::int64_t prompt_index = 0;
        std::vector<double> scores;
    };
    std::vector<PromptScores> prompt_scores(double temperature) const;
    /// Prompt indices at `temperature` where the prompt or any completion contains `text` (case-insensitive).
    std::vector<std::int64_t> search(double temperature, const std::string& text) const;
    std::int64_t sample_count() const;

    /// The steps that rollouts are stored of, ascending.
    std::vector<std::int64_t> rollout_steps() const;
    /// All groups of one step with their samples, by group and sample index.
    std::vector<RolloutGroup> rollouts(std::int64_t step) const;
    /// By prompt index.
    std::vector<Comparison> comparisons() const;
    std::int64_t comparison_count() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace tempera
