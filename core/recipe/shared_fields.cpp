#include "core/recipe/shared_fields.h"

#include "core/data/columns.h"
#include "core/data/data_files.h"

#include <algorithm>

namespace tempera {

namespace {

constexpr double huge = 1e9;

void bind_steps(OptimiserFields& r, std::vector<Binding>& list) {
    list.push_back(Binding("learning_rate", &r.learning_rate)
                       .above(0, 1)
                       .label("Learning rate")
                       .group("Optimiser")
                       .simple()
                       .help("Peak learning rate of AdamW. The paper's presets have 5e-7 to 2e-5; LoRA and "
                             "tiny models take 1e-4 to 1e-3."));
    list.push_back(Binding("schedule", &r.schedule)
                       .choices({"linear", "cosine", "constant"})
                       .label("Schedule")
                       .group("Optimiser")
                       .help("How the learning rate falls after the warm-up: straight to zero, along half a "
                             "cosine, or not at all."));
    list.push_back(Binding("warmup_steps", &r.warmup_steps)
                       .range(0, 1e7)
                       .unit("steps")
                       .label("Warm-up")
                       .group("Optimiser")
                       .help("Steps over which the learning rate rises from zero to its peak."));
    list.push_back(Binding("epochs", &r.epochs)
                       .above(0, 1e5)
                       .unit("epochs")
                       .label("Epochs")
                       .group("Optimiser")
                       .simple()
                       .help("Passes over the training examples. A fraction is allowed. max_steps, where "
                             "set, rules instead."));
    list.push_back(Binding("max_steps", &r.max_steps)
                       .range(0, huge)
                       .unit("steps")
                       .label("Step limit")
                       .group("Optimiser")
                       .help("Stops after this many optimiser steps, whatever the epochs say. 0 = off."));
    list.push_back(
        Binding("batch_size", &r.batch_size)
            .range(1, 65536)
            .unit("examples")
            .label("Batch size")
            .group("Optimiser")
            .simple()
            .help("Examples of one batch. One optimiser step sees batch size x accumulation examples."));
    list.push_back(Binding("accumulation", &r.accumulation)
                       .range(1, 65536)
                       .unit("batches")
                       .label("Accumulation")
                       .group("Optimiser")
                       .help("Batches whose gradients are added up before a step, weighted as TRL weights "
                             "them for this kind of run."));
    list.push_back(Binding("micro_batch_tokens", &r.micro_batch_tokens)
                       .range(64, 1 << 24)
                       .unit("tokens")
                       .label("Tokens at once")
                       .group("Optimiser")
                       .help("Most tokens computed at one time. It bounds memory and changes nothing else."));
}

void bind_adamw(OptimiserFields& r, std::vector<Binding>& list) {
    list.push_back(Binding("weight_decay", &r.weight_decay)
                       .range(0, 10)
                       .label("Weight decay")
                       .group("Optimiser")
                       .help("Decoupled weight decay of AdamW, on matrices but not on norms and biases."));
    list.push_back(Binding("adam_beta1", &r.adam_beta1)
                       .range(0, 0.99999)
                       .label("Adam beta 1")
                       .group("Optimiser")
                       .help("Decay of the running mean of the gradient."));
    list.push_back(Binding("adam_beta2", &r.adam_beta2)
                       .range(0, 0.9999999)
                       .label("Adam beta 2")
                       .group("Optimiser")
                       .help("Decay of the running mean of the squared gradient."));
    list.push_back(Binding("adam_epsilon", &r.adam_epsilon)
                       .above(0, 1)
                       .label("Adam epsilon")
                       .group("Optimiser")
                       .help("Added to the root of the second moment, against division by zero."));
    list.push_back(Binding("max_grad_norm", &r.max_grad_norm)
                       .range(0, 1e6)
                       .label("Gradient clipping")
                       .group("Optimiser")
                       .help("The gradient is scaled down to this norm where it is longer. 0 = off."));
}

} // namespace

void bind_lora(LoraFields& r, std::vector<Binding>& list) {
    list.push_back(Binding("method", &r.method)
                       .choices({"full", "lora"})
                       .label("Method")
                       .group("Method")
                       .simple()
                       .help("\"full\" trains every weight; \"lora\" trains a small adapter beside frozen "
                             "weights, in less memory and time."));
    list.push_back(Binding("lora_r", &r.lora_r)
                       .range(1, 1024)
                       .label("LoRA rank")
                       .group("Method")
                       .help("Rank of the adapter matrices. The paper uses 8. On a model that is an adapter "
                             "itself the result is one adapter of both, of the sum of their ranks. Ignored "
                             "by method \"full\"."));
    list.push_back(Binding("lora_alpha", &r.lora_alpha)
                       .above(0, 65536)
                       .label("LoRA alpha")
                       .group("Method")
                       .help("The adapter's output is scaled by alpha / rank. The paper uses 32."));
    list.push_back(Binding("lora_dropout", &r.lora_dropout)
                       .range(0, 0.95)
                       .label("LoRA dropout")
                       .group("Method")
                       .help("Share of the adapter's inputs dropped while training."));
    list.push_back(Binding("lora_targets", &r.lora_targets)
                       .label("LoRA targets")
                       .group("Method")
                       .help("Linear layers that get an adapter, e.g. q_proj,k_proj,v_proj,o_proj, or "
                             "all-linear for every one but the output head."));
}

void bind_optimiser(OptimiserFields& fields, std::vector<Binding>& list) {
    bind_steps(fields, list);
    bind_adamw(fields, list);
}

void bind_running(RunningFields& r, std::vector<Binding>& list) {
    list.push_back(Binding("eval_steps", &r.eval_steps)
                       .range(0, huge)
                       .unit("steps")
                       .label("Evaluate every")
                       .group("Running")
                       .help("Steps between evaluations on the validation examples. 0 = off."));
    list.push_back(Binding("patience", &r.patience)
                       .range(0, 1e6)
                       .unit("evaluations")
                       .label("Early stopping")
                       .group("Running")
                       .help("Ends the run after this many evaluations in a row without a better loss. 0 = "
                             "off; it needs eval_steps."));
    list.push_back(
        Binding("checkpoint_steps", &r.checkpoint_steps)
            .range(0, huge)
            .unit("steps")
            .label("Checkpoint every")
            .group("Running")
            .help("Steps between checkpoints that a stopped run goes on from. 0 = only when it is stopped."));
    list.push_back(
        Binding("keep_checkpoints", &r.keep_checkpoints)
            .range(1, 1e4)
            .unit("checkpoints")
            .label("Keep")
            .group("Running")
            .help("How many of the newest checkpoints stay on disk. The best one is always kept."));
    list.push_back(Binding("log_steps", &r.log_steps)
                       .range(1, 1e6)
                       .unit("steps")
                       .label("Record every")
                       .group("Running")
                       .help("Steps between recorded metrics."));
    list.push_back(Binding("seed", &r.seed)
                       .range(0, largest_seed)
                       .label("Seed")
                       .group("Running")
                       .help("Names the data order, dropout and drawn weights. The same seed on the same "
                             "machine gives the same run."));
    list.push_back(Binding("health_pause", &r.health_pause)
                       .label("Pause when unhealthy")
                       .group("Running")
                       .help("Stops at a checkpoint when a health rule fires, e.g. the gradient jumps, or "
                             "the reward rises while the held-out score falls. Off: the event is only "
                             "reported."));
}

void bind_system(std::string& system, std::vector<Binding>& list) {
    list.push_back(Binding("system", &system)
                       .label("System turn")
                       .group("Model and data")
                       .help("Stands before conversations that begin without a system turn. Empty = as the "
                             "model's chat template has it."));
}

void bind_rows(RowFields& r, std::vector<Binding>& list, const std::string& group) {
    list.push_back(Binding("columns", &r.columns)
                       .label("Columns")
                       .group(group)
                       .help("Which column of the file is which, where the names do not say it: "
                             "prompt=question,completion=answer. Empty = detected; Alpaca's input then "
                             "stands behind its instruction."));
    list.push_back(Binding("bad_rows", &r.bad_rows)
                       .choices({"skip", "refuse"})
                       .label("Unusable rows")
                       .group(group)
                       .help("Rows of the file that cannot be used: \"skip\" leaves them out and tells how "
                             "many, \"refuse\" ends the run with the first one's number."));
}

void bind_device(DeviceFields& r, std::vector<Binding>& list, const std::string& precision) {
    list.push_back(Binding("device", &r.device)
                       .choices({"cpu", "cuda"})
                       .label("Device")
                       .group("Running")
                       .help("Where the run computes. \"cuda\" needs a CUDA build of the engine."));
    list.push_back(Binding("dtype", &r.dtype)
                       .choices({"float32", "bfloat16"})
                       .label("Precision")
                       .group("Running")
                       .help(precision));
}

void check_model(const std::string& model, std::vector<FieldProblem>& list) {
    if (model.empty()) list.push_back({"model", "model is empty: name a model or a folder, e.g. tiny."});
}

void check_lora(const LoraFields& fields, std::vector<FieldProblem>& list) {
    if (fields.is_lora() && fields.lora_targets.empty())
        list.push_back(
            {"lora_targets", "lora_targets is empty: name the layers that get an adapter, or all-linear."});
    for (const auto& target : fields.lora_targets)
        if (target.empty()) list.push_back({"lora_targets", "lora_targets holds an empty name."});
}

void check_used(const std::string& field, const std::string& value, bool used, const std::string& but,
                const std::string& use, std::vector<FieldProblem>& list) {
    if (!value.empty() && !used)
        list.push_back(
            {field, field + " is set, but " + but + ": " + use + ", or leave " + field + " empty."});
}

void check_rows(const RowFields& fields, const std::string& data, std::vector<FieldProblem>& list) {
    try {
        parse_columns(fields.columns);
    } catch (const Error& error) {
        list.push_back({"columns", error.what()});
        return;
    }
    check_used("columns", fields.columns, names_data(data) || names_a_run(data),
               "data \"" + data + "\" is no file", "name a data file or folder in data", list);
}

void check_optimiser(const OptimiserFields& fields, std::vector<FieldProblem>& list) {
    if (fields.max_steps > 0 && fields.warmup_steps > fields.max_steps)
        list.push_back({"warmup_steps", "warmup_steps is more than max_steps, so the learning rate would "
                                        "never reach its peak: lower it to at most "
                                            + std::to_string(fields.max_steps) + "."});
}

void check_running(const RunningFields& fields, std::int64_t validation_examples,
                   std::vector<FieldProblem>& list) {
    if (fields.patience > 0 && fields.eval_steps == 0)
        list.push_back({"patience", "patience needs evaluations: set eval_steps and validation_examples "
                                    "above 0, or patience to 0."});
    if (fields.eval_steps > 0 && validation_examples == 0)
        list.push_back({"eval_steps", "eval_steps needs examples to evaluate on: set validation_examples "
                                      "above 0, or eval_steps to 0."});
}

void adapt_optimiser(OptimiserFields& fields, const Json& given) {
    if (fields.max_steps > 0 && !given.contains("warmup_steps"))
        fields.warmup_steps = std::min(fields.warmup_steps, fields.max_steps / 10);
}

void adapt_running(RunningFields& fields, std::int64_t validation_examples, const Json& given) {
    if (validation_examples == 0 && !given.contains("eval_steps")) fields.eval_steps = 0;
}

} // namespace tempera
