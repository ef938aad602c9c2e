#pragma once

#include "core/queue/engine.h"

#include <filesystem>
#include <memory>

namespace tempera {

/// The only writer of a run folder's run.db, used from the run's own thread. Rows are collected and committed
/// in one transaction at least once a second, at every checkpoint and at the end, so a step's metrics are
/// stored whole or not at all. After a resume, `rewind_to(step)` removes what lies behind the checkpoint the
/// run goes on from; an event "resumed" with a step does the same. A report that cannot be committed throws
/// and is kept: the next report or flush() tries again.
class RunWriter final : public RunObserver {
public:
    /// Creates or opens `folder`/run.db. Throws Error(io, disk_full, busy, bad_input).
    explicit RunWriter(const std::filesystem::path& folder);
    ~RunWriter() override;

    void on_progress(const Progress& progress) override;
    void on_metrics(std::int64_t step, std::span<const Metric> metrics) override;
    void on_event(const RunEvent& event) override;
    void on_prompts(std::span<const PromptRecord> prompts) override;
    void on_samples(std::span<const Sample> samples) override;
    void on_sweep(std::span<const SweepCell> cells, std::span<const SweepRow> rows) override;
    /// A group reported again for the same step replaces the earlier one with all its samples.
    void on_rollouts(std::span<const RolloutGroup> groups) override;
    void on_comparisons(std::span<const Comparison> comparisons) override;
    void on_checkpoint(const CheckpointRecord& checkpoint) override;
    void on_headline(const std::string& name, double value) override;

    void rewind_to(std::int64_t step);
    /// Commits what is pending. Throws Error(disk_full, io).
    void flush();

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace tempera
