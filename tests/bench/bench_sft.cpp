// Seconds a step and peak memory of SFT on given rows, as one JSON line; bench_sft.py runs it beside TRL.
// usage: bench_sft MODEL_DIR ROWS.jsonl full|lora STEPS [MICRO_BATCH_TOKENS]
#include "core/base/error.h"
#include "core/engine/train/machine.h"
#include "core/engine/train/sft.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <unistd.h>

using namespace tempera;

namespace {

/// Notes the time of every step.
class Timer final : public RunObserver {
public:
    Json seconds = Json::array(), losses = Json::array(), tokens = Json::array();

    void on_progress(const Progress&) override {}
    void on_metrics(std::int64_t, std::span<const Metric> metrics) override {
        double rate = 0, total = 0;
        for (const Metric& metric : metrics) {
            if (metric.name == "tokens_per_second") rate = metric.value;
            if (metric.name == "num_tokens") total = metric.value;
            if (metric.name == "loss") losses.push_back(metric.value);
        }
        tokens.push_back(total - seen_);
        seconds.push_back((total - seen_) / rate);
        seen_ = total;
    }
    void on_event(const RunEvent&) override {}
    void on_prompts(std::span<const PromptRecord>) override {}
    void on_samples(std::span<const Sample>) override {}
    void on_sweep(std::span<const SweepCell>, std::span<const SweepRow>) override {}
    void on_checkpoint(const CheckpointRecord&) override {}
    void on_headline(const std::string&, double) override {}

private:
    double seen_ = 0;
};

} // namespace

int main(int argc, char** argv) {
    if (argc < 5) {
        std::fprintf(stderr, "usage: %s MODEL_DIR ROWS.jsonl full|lora STEPS [MICRO_BATCH_TOKENS]\n",
                     argv[0]);
        return 2;
    }
    std::filesystem::path folder =
        std::filesystem::temp_directory_path() / ("bench_sft." + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    Json recipe = {{"kind", "sft"},      {"model", argv[1]},      {"data", argv[2]},
                   {"examples", 100000}, {"method", argv[3]},     {"max_steps", std::atoi(argv[4])},
                   {"batch_size", 16},   {"learning_rate", 5e-6}, {"schedule", "linear"},
                   {"warmup_steps", 0},  {"weight_decay", 0},     {"validation_examples", 0},
                   {"eval_steps", 0},    {"checkpoint_steps", 0}, {"log_steps", 1}};
    if (argc > 5) recipe["micro_batch_tokens"] = std::atoi(argv[5]);
    Timer timer;
    int status = 0;
    // On a thread of its own, as the run queue does it: memory behaves differently there.
    std::thread worker([&] {
        try {
            run_sft({"sft", recipe, folder, false, 0}, timer, StopToken());
            Json line = {{"what", std::string("sft-") + argv[3]},
                         {"step_s", timer.seconds},
                         {"tokens", timer.tokens},
                         {"loss", timer.losses},
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
