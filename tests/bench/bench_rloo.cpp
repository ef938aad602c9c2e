// Seconds a step and peak memory of RLOO (16 completions of at most 96 tokens, k = 4), as one JSON line;
// bench_rloo.py runs it beside TRL.
// usage: bench_rloo MODEL_DIR full|lora STEPS [MICRO_BATCH_TOKENS]
#include "core/base/error.h"
#include "core/engine/train/machine.h"
#include "core/engine/train/rloo.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <unistd.h>

using namespace tempera;

namespace {

using Clock = std::chrono::steady_clock;

/// Notes the time of every step: from the draw of its completions on.
class Timer final : public RunObserver {
public:
    Json seconds = Json::array(), rewards = Json::array(), lengths = Json::array();

    void on_progress(const Progress& progress) override {
        if (progress.phase == "sampling") began_ = Clock::now();
        if (progress.phase == "training")
            seconds.push_back(std::chrono::duration<double>(Clock::now() - began_).count());
    }
    void on_metrics(std::int64_t, std::span<const Metric> metrics) override {
        for (const Metric& metric : metrics) {
            if (metric.name == "reward") rewards.push_back(metric.value);
            if (metric.name == "completions/mean_length") lengths.push_back(metric.value);
        }
    }
    void on_event(const RunEvent&) override {}
    void on_prompts(std::span<const PromptRecord>) override {}
    void on_samples(std::span<const Sample>) override {}
    void on_sweep(std::span<const SweepCell>, std::span<const SweepRow>) override {}
    void on_checkpoint(const CheckpointRecord&) override {}
    void on_headline(const std::string&, double) override {}

private:
    Clock::time_point began_ = Clock::now();
};

} // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        std::fprintf(stderr, "usage: %s MODEL_DIR full|lora STEPS [MICRO_BATCH_TOKENS]\n", argv[0]);
        return 2;
    }
    std::filesystem::path folder =
        std::filesystem::temp_directory_path() / ("bench_rloo." + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    Json recipe = {{"kind", "rloo"},
                   {"model", argv[1]},
                   {"data", "countdown"},
                   {"prompt_style", "paper"},
                   {"examples", 96},
                   {"validation_examples", 0},
                   {"rewards", {"repetition"}},
                   {"method", argv[2]},
                   {"max_steps", std::atoi(argv[3])},
                   {"k", 4},
                   {"kl_coef", 0.03},
                   {"temperature", 0.7},
                   {"max_tokens", 96},
                   {"batch_size", 16},
                   {"learning_rate", 5e-6},
                   {"eval_steps", 0},
                   {"checkpoint_steps", 0},
                   {"log_steps", 1}};
    if (argc > 4) recipe["micro_batch_tokens"] = std::atoi(argv[4]);
    Timer timer;
    int status = 0;
    // On a thread of its own, as the run queue does it: memory behaves differently there.
    std::thread worker([&] {
        try {
            run_rloo({"rloo", recipe, folder, false, 0}, timer, StopToken());
            Json line = {{"what", std::string("rloo-") + argv[2]},
                         {"step_s", timer.seconds},
                         {"tokens", timer.lengths},
                         {"reward", timer.rewards},
                         {"peak_rss_gib", peak_memory_gib()}};
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
