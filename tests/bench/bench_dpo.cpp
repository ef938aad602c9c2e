// Seconds a step and peak memory of DPO on given pairs, as one JSON line; bench_dpo.py runs it beside TRL.
// usage: bench_dpo MODEL_DIR PAIRS.jsonl full|lora STEPS [MICRO_BATCH_TOKENS]
#include "step_bench.h"

#include "core/engine/train/dpo.h"

using namespace tempera;

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
    LoopTimer timer({"loss", "grad_norm"}); // the pass of the reference model is in the first step
    return bench_steps(recipe, run_dpo, timer);
}
