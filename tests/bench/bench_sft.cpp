// Seconds a step and peak memory of SFT on given rows, as one JSON line; bench_sft.py runs it beside TRL.
// usage: bench_sft MODEL_DIR ROWS.jsonl full|lora STEPS [MICRO_BATCH_TOKENS]
#include "step_bench.h"

#include "core/engine/train/sft.h"

using namespace tempera;

int main(int argc, char** argv) {
    if (argc < 5) {
        std::fprintf(stderr, "usage: %s MODEL_DIR ROWS.jsonl full|lora STEPS [MICRO_BATCH_TOKENS]\n",
                     argv[0]);
        return 2;
    }
    Json recipe = {{"kind", "sft"},      {"model", argv[1]},      {"data", argv[2]},
                   {"examples", 100000}, {"method", argv[3]},     {"max_steps", std::atoi(argv[4])},
                   {"batch_size", 16},   {"learning_rate", 5e-6}, {"schedule", "linear"},
                   {"warmup_steps", 0},  {"weight_decay", 0},     {"validation_examples", 0},
                   {"eval_steps", 0},    {"checkpoint_steps", 0}, {"log_steps", 1}};
    if (argc > 5) recipe["micro_batch_tokens"] = std::atoi(argv[5]);
    LoopTimer timer({"loss", "num_tokens"});
    return bench_steps(recipe, run_sft, timer);
}
