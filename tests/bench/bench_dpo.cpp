// Seconds a step and peak memory of DPO on given pairs, as one JSON line; bench_dpo.py runs it beside TRL.
// usage: bench_dpo MODEL_DIR PAIRS.jsonl full|lora STEPS [MICRO_BATCH_TOKENS]
#include "step_bench.h"

#include "core/engine/train/dpo.h"

using namespace tempera;

namespace {

/// From the end of loading to every step: the pass of the reference model is in it.
class DpoTimer final : public StepTimer {
public:
    DpoTimer() : StepTimer({"loss", "grad_norm"}) {}
    void on_metrics(std::int64_t step, std::span<const Metric> metrics) override {
        note();
        begin();
        StepTimer::on_metrics(step, metrics);
    }
    void on_event(const RunEvent& event) override {
        if (event.message.starts_with("Trains")) begin();
    }
};

} // namespace

int main(int argc, char** argv) {
    if (argc < 5) {
        std::fprintf(stderr, "usage: %s MODEL_DIR PAIRS.jsonl full|lora STEPS [MICRO_BATCH_TOKENS]\n",
                     argv[0]);
        return 2;
    }
    Json recipe = {{"kind", "dpo"},      {"model", argv[1]},      {"data", argv[2]},
                   {"examples", 100000}, {"method", argv[3]},     {"max_steps", std::atoi(argv[4])},
                   {"batch_size", 2},    {"accumulation", 4},     {"learning_rate", 5e-6},
                   {"beta", 0.1},        {"checkpoint_steps", 0}, {"validation_examples", 0}};
    if (argc > 5) recipe["micro_batch_tokens"] = std::atoi(argv[5]);
    DpoTimer timer;
    return bench_steps(recipe, run_dpo, timer);
}
