// Seconds a step and peak memory of RLOO (16 completions of at most 96 tokens, k = 4), as one JSON line;
// bench_rloo.py runs it beside TRL.
// usage: bench_rloo MODEL_DIR full|lora STEPS [MICRO_BATCH_TOKENS]
#include "step_bench.h"

#include "core/engine/train/rloo.h"

using namespace tempera;

namespace {

/// From the draw of a step's completions on.
class RlooTimer final : public StepTimer {
public:
    RlooTimer() : StepTimer({"reward", "completions/mean_length"}) {}
    void on_progress(const Progress& progress) override {
        if (progress.phase == "sampling") begin();
        if (progress.phase == "training") note();
    }
};

} // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        std::fprintf(stderr, "usage: %s MODEL_DIR full|lora STEPS [MICRO_BATCH_TOKENS]\n", argv[0]);
        return 2;
    }
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
    RlooTimer timer;
    return bench_steps(recipe, run_rloo, timer);
}
