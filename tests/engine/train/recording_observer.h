#pragma once

#include "core/queue/engine.h"

#include <map>

namespace tempera {

/// Keeps what a run reports, and can ask it to stop after a step.
class RecordingObserver : public RunObserver {
public:
    std::map<std::int64_t, std::map<std::string, double>> metrics;
    std::vector<RunEvent> events;
    std::vector<CheckpointRecord> checkpoints;
    std::map<std::string, double> headline;
    Progress last_progress;

    StopToken stop;
    std::int64_t stop_after = -1;
    std::string stop_phase; ///< or as soon as the run says that it does this; "" = never
    StopRequest how = StopRequest::stop;

    void on_progress(const Progress& progress) override {
        last_progress = progress;
        if (progress.phase == "training" && progress.done == stop_after) stop.request(how);
        if (progress.phase == stop_phase) stop.request(how);
    }
    void on_metrics(std::int64_t step, std::span<const Metric> values) override {
        for (const Metric& metric : values)
            metrics[step][metric.name] = metric.value;
    }
    void on_event(const RunEvent& event) override { events.push_back(event); }
    void on_prompts(std::span<const PromptRecord>) override {}
    void on_samples(std::span<const Sample>) override {}
    void on_sweep(std::span<const SweepCell>, std::span<const SweepRow>) override {}
    void on_checkpoint(const CheckpointRecord& checkpoint) override { checkpoints.push_back(checkpoint); }
    void on_headline(const std::string& name, double value) override { headline[name] = value; }

    bool has_event(const std::string& kind, const std::string& part) const {
        for (const RunEvent& event : events)
            if (event.kind == kind && event.message.find(part) != std::string::npos) return true;
        return false;
    }
};

} // namespace tempera
