#pragma once

#include "core/base/error.h"
#include "core/engine/train/machine.h"
#include "core/queue/engine.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <unistd.h>

namespace tempera {

/// Keeps the time of every step and the metrics named to it. A trainer's benchmark says when its clock
/// starts.
class StepTimer : public RunObserver {
public:
    using Clock = std::chrono::steady_clock;

    explicit StepTimer(std::vector<std::string> names) {
        for (const std::string& name : names)
            values[name] = Json::array();
    }
    Json seconds = Json::array();
    std::map<std::string, Json> values;

    void on_progress(const Progress&) override {}
    void on_metrics(std::int64_t, std::span<const Metric> metrics) override {
        for (const Metric& metric : metrics)
            if (auto found = values.find(metric.name); found != values.end())
                found->second.push_back(metric.value);
    }
    void on_event(const RunEvent&) override {}
    void on_prompts(std::span<const PromptRecord>) override {}
    void on_samples(std::span<const Sample>) override {}
    void on_sweep(std::span<const SweepCell>, std::span<const SweepRow>) override {}
    void on_checkpoint(const CheckpointRecord&) override {}
    void on_headline(const std::string&, double) override {}

protected:
    void begin() { began_ = Clock::now(); }
    void note() { seconds.push_back(std::chrono::duration<double>(Clock::now() - began_).count()); }

private:
    Clock::time_point began_ = Clock::now();
};

/// For trainers that only train: from the end of loading, then from step to step.
class LoopTimer final : public StepTimer {
public:
    using StepTimer::StepTimer;
    void on_metrics(std::int64_t step, std::span<const Metric> metrics) override {
        note();
        begin();
        StepTimer::on_metrics(step, metrics);
    }
    void on_event(const RunEvent& event) override {
        if (event.message.starts_with("Trains")) begin();
    }
};

using Trainer = RunOutcome (*)(const RunRequest&, RunObserver&, const StopToken&);

/// Trains `recipe` in a temporary folder and prints its steps and peak memory as one JSON line; the exit
/// code. On a thread of its own, as the run queue does it: memory behaves differently there.
inline int bench_steps(const Json& recipe, Trainer train, StepTimer& timer) {
    const std::string kind = recipe.at("kind");
    const std::filesystem::path folder =
        std::filesystem::temp_directory_path() / ("bench_" + kind + "." + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    setenv("TEMPERA_CACHE", folder.c_str(), 1); // no reference log-probabilities of an earlier run
    int status = 0;
    std::thread worker([&] {
        try {
            train({kind, recipe, folder, false, 0}, timer, StopToken());
            Json line = {{"what", kind + "-" + recipe.at("method").get<std::string>()},
                         {"step_s", timer.seconds},
                         {"peak_rss_gib", peak_memory_gib()}};
            line.update(timer.values);
            std::printf("%s\n", line.dump().c_str());
        } catch (const Error& error) {
            std::fprintf(stderr, "%s\n", error.what());
            status = 1;
        }
    });
    worker.join();
    std::filesystem::remove_all(folder);
    return status;
}

} // namespace tempera
