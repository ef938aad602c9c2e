#pragma once

#include "core/recipe/binding.h"

namespace tempera {

/// Supervised fine-tuning (and, with initialise = "random" and train_on = "all", pretraining). The defaults
/// are the paper's "SFT math" where it states a value, else TRL's.
struct SftRecipe {
    std::string model = "tiny";
    std::string initialise = "pretrained";
    std::string data = "countdown";
    std::string prompt_style = "paper";
    std::string trace_style = "cognitive";
    std::int64_t examples = 1000;
    std::int64_t validation_examples = 100;
    std::int64_t data_seed = 0;
    std::string train_on = "completion";

    std::string method = "full";
    std::int64_t lora_r = 8;
    double lora_alpha = 32;
    double lora_dropout = 0.05;
    std::vector<std::string> lora_targets = {"q_proj", "k_proj", "v_proj", "o_proj"};

    double learning_rate = 5e-6;
    std::string schedule = "cosine";
    std::int64_t warmup_steps = 100;
    double epochs = 5;
    std::int64_t max_steps = 0;
    std::int64_t batch_size = 16;
    std::int64_t accumulation = 1;
    std::int64_t micro_batch_tokens = 1024;
    double weight_decay = 0.01;
    double adam_beta1 = 0.9;
    double adam_beta2 = 0.999;
    double adam_epsilon = 1e-8;
    double max_grad_norm = 1.0;
    std::int64_t max_length = 1024;

    std::int64_t eval_steps = 200;
    std::int64_t patience = 0;
    std::int64_t checkpoint_steps = 200;
    std::int64_t keep_checkpoints = 2;
    std::int64_t log_steps = 1;
    std::int64_t seed = 42;
    std::string device = "cpu";
    std::string dtype = "float32";

    /// Every field, in the order of the form.
    std::vector<Binding> bindings();
    /// What no single field shows, e.g. patience without evaluation.
    std::vector<FieldProblem> problems_found() const;

    /// Missing fields keep their defaults. Throws Error(bad_input) with the first problem.
    static SftRecipe from(const Json& recipe);
    Json to_json() const; ///< complete, with "kind"

    bool is_lora() const { return method == "lora"; }
};

} // namespace tempera
