#pragma once

#include "core/recipe/binding.h"

namespace tempera {

/// The fields that several kinds of run share. A recipe struct inherits what it has (`recipe.learning_rate`),
/// sets its own defaults in its constructor, and calls the matching bind_ function where the fields stand in
/// its form.

/// Whether every weight is trained or an adapter beside frozen ones.
struct LoraFields {
    std::string method = "full";
    std::int64_t lora_r = 8;
    double lora_alpha = 32;
    double lora_dropout = 0.05;
    std::vector<std::string> lora_targets = {"q_proj", "k_proj", "v_proj", "o_proj"};

    bool is_lora() const { return method == "lora"; }
};

/// AdamW, its schedule, and how many examples a step sees.
struct OptimiserFields {
    double learning_rate = 5e-6;
    std::string schedule = "cosine";
    std::int64_t warmup_steps = 100;
    double epochs = 3;
    std::int64_t max_steps = 0;
    std::int64_t batch_size = 16;
    std::int64_t accumulation = 1;
    std::int64_t micro_batch_tokens = 1024;
    double weight_decay = 0.01;
    double adam_beta1 = 0.9;
    double adam_beta2 = 0.999;
    double adam_epsilon = 1e-8;
    double max_grad_norm = 1.0;
};

/// What happens every so many steps.
struct RunningFields {
    std::int64_t eval_steps = 200;
    std::int64_t patience = 0;
    std::int64_t checkpoint_steps = 200;
    std::int64_t keep_checkpoints = 2;
    std::int64_t log_steps = 1;
    std::int64_t seed = 42;
    bool health_pause = false; ///< a health rule that fires stops the run at a checkpoint
};

/// How the rows of a file or folder in `data` are read (core/data/task_rows.h).
struct RowFields {
    std::string columns;
    std::string bad_rows = "skip";
};

struct DeviceFields {
    std::string device = "cpu";
    std::string dtype = "float32";
};

/// The largest seed of any kind: 2^53 - 1, what every JSON reader keeps.
constexpr double largest_seed = 9007199254740991.0;

void bind_lora(LoraFields& fields, std::vector<Binding>& list);
void bind_optimiser(OptimiserFields& fields, std::vector<Binding>& list);
void bind_running(RunningFields& fields, std::vector<Binding>& list);
/// The system turn of conversations, field "system".
void bind_system(std::string& system, std::vector<Binding>& list);
/// Behind field "data", in its group.
void bind_rows(RowFields& fields, std::vector<Binding>& list, const std::string& group = "Model and data");
/// `precision` is the help of dtype.
void bind_device(DeviceFields& fields, std::vector<Binding>& list, const std::string& precision);

/// Checks across fields: each adds to `list` what is wrong.

/// A text field that brings a thing into the run (a model, an endpoint, a mapping) is refused where nothing
/// uses it, for the run would not be what its recipe says. A field that only says how a thing is used (LoRA's
/// with method "full", kl_estimator with kl_coef 0) rests with it, so that switching the thing off is a
/// change of one field. The sentence: "FIELD is set, but `but`: `use`, or leave FIELD empty."
void check_used(const std::string& field, const std::string& value, bool used, const std::string& but,
                const std::string& use, std::vector<FieldProblem>& list);
void check_model(const std::string& model, std::vector<FieldProblem>& list);
void check_lora(const LoraFields& fields, std::vector<FieldProblem>& list);
/// `data` is the recipe's, whose rows the fields are of.
void check_rows(const RowFields& fields, const std::string& data, std::vector<FieldProblem>& list);
void check_optimiser(const OptimiserFields& fields, std::vector<FieldProblem>& list);
void check_running(const RunningFields& fields, std::int64_t validation_examples,
                   std::vector<FieldProblem>& list);

/// A default that does not go with what the user set gives way: a default warm-up to a shorter step limit,
/// the default evaluations to validation_examples = 0. `given` is the recipe as it was written; what it names
/// is never changed.
void adapt_optimiser(OptimiserFields& fields, const Json& given);
void adapt_running(RunningFields& fields, std::int64_t validation_examples, const Json& given);

} // namespace tempera
