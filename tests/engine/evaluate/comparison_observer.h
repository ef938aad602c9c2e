#pragma once

#include "core/queue/engine.h"
#include "core/store/run_writer.h"

#include <algorithm>
#include <map>
#include <utility>

namespace tempera {

/// Keeps what a run that compares or draws reports, stores it where there is a writer, and asks for a stop
/// once `stop_after` samples or replies are done.
class ComparisonObserver final : public RunObserver {
public:
    void on_progress(const Progress& p) override {
        progress = p;
        if (p.phase == "sampling" && p.done >= stop_after) stop.request(StopRequest::stop);
    }
    void on_metrics(std::int64_t, std::span<const Metric>) override {}
    void on_event(const RunEvent& event) override { events.push_back(event.message); }
    void on_prompts(std::span<const PromptRecord> p) override {
        prompts.assign(p.begin(), p.end());
        if (writer) writer->on_prompts(p);
    }
    void on_samples(std::span<const Sample> batch) override {
        for (const Sample& sample : batch)
            twice =
                twice || !samples.emplace(std::pair(sample.prompt_index, sample.sample_index), sample).second;
        if (writer) writer->on_samples(batch);
    }
    void on_sweep(std::span<const SweepCell>, std::span<const SweepRow>) override {}
    void on_comparisons(std::span<const Comparison> batch) override {
        for (const Comparison& comparison : batch)
            twice = twice || !comparisons.emplace(comparison.prompt_index, comparison).second;
        if (writer) writer->on_comparisons(batch);
    }
    void on_checkpoint(const CheckpointRecord&) override {}
    void on_headline(const std::string& name, double value) override { headline[name] = value; }

    /// Whether an event holds the words.
    bool tells(const std::string& words) const {
        return std::ranges::any_of(
            events, [&](const std::string& event) { return event.find(words) != std::string::npos; });
    }

    Progress progress;
    std::vector<std::string> events;
    std::vector<PromptRecord> prompts;
    std::map<std::pair<std::int64_t, int>, Sample> samples;
    std::map<std::int64_t, Comparison> comparisons;
    std::map<std::string, double> headline;
    bool twice = false; ///< something was reported a second time

    RunWriter* writer = nullptr;
    StopToken stop;
    std::int64_t stop_after = 1 << 30;
};

} // namespace tempera
