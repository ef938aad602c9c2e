// Seconds a step and peak memory of DPO on given pairs, as one JSON line; bench_dpo.py runs it beside TRL.
// usage: bench_dpo MODEL_DIR PAIRS.jsonl full|lora STEPS [MICRO_BATCH_TOKENS]
#include "core/base/error.h"
#include "core/engine/train/dpo.h"
#include "core/engine/train/machine.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <unistd.h>

using namespace tempera;

namespace {

/// Notes the time from the end of loading to every step: the pass of the reference model is in it.
class Timer final : public RunObserver {
public:
    using Clock = std::chrono::steady_clock;
    Json seconds = Json::array(), losses = Json::array(), norms = Json::array();

    void on_progress(const Progress&) override {}
    void on_metrics(std::int64_t, std::span<const Metric> metrics) override {
        seconds.push_back(std::chrono::duration<double>(Clock::now() - began_).count());
        began_ = Clock::now();
        for (const Metric& metric : metrics) {
            if (metric.name == "loss") losses.push_back(metric.value);
            if (metric.name == "grad_norm") norms.push_back(metric.value);
        }
    }
    void on_event(const RunEvent& event) override {
        if (event.message.starts_with("Trains")) began_ = Clock::now();
    }
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
    if (argc < 5) {
        std::fprintf(stderr, "usage: %s MODEL_DIR PAIRS.jsonl full|lora STEPS [MICRO_BATCH_TOKENS]\n",
                     argv[0]);
        return 2;
    }
    std::filesystem::path folder =
        std::filesystem::temp_directory_path() / ("bench_dpo." + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    setenv("TEMPERA_CACHE", folder.c_str(), 1); // no numbers of an earlier run
    Json recipe = {{"kind", "dpo"},      {"model", argv[1]},      {"data", argv[2]},
                   {"examples", 100000}, {"method", argv[3]},     {"max_steps", std::atoi(argv[4])},
                   {"batch_size", 2},    {"accumulation", 4},     {"learning_rate", 5e-6},
                   {"beta", 0.1},        {"checkpoint_steps", 0}, {"validation_examples", 0}};
    if (argc > 5) recipe["micro_batch_tokens"] = std::atoi(argv[5]);
    Timer timer;
    int status = 0;
    // On a thread of its own, as the run queue does it: memory behaves differently there.
    std::thread worker([&] {
        try {
            run_dpo({"dpo", recipe, folder, false, 0}, timer, StopToken());
            Json line = {{"what", std::string("dpo-") + argv[3]},
                         {"step_s", timer.seconds},
                         {"loss", timer.losses},
                         {"grad_norm", timer.norms},
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
