#pragma once

#include "core/recipe/shared_fields.h"

namespace tempera {

/// Supervised fine-tuning (and, with initialise = "random" and train_on = "all", pretraining). The defaults
/// are the paper's "SFT math" where it states a value, else TRL's.
struct SftRecipe : RowFields, LoraFields, OptimiserFields, RunningFields, DeviceFields {
    std::string model = "tiny";
    std::string initialise = "pretrained";
    std::string data = "countdown";
    std::string prompt_style = "paper";
    std::string trace_style = "cognitive";
    std::int64_t examples = 1000;
    std::int64_t validation_examples = 100;
    std::int64_t data_seed = 0;
    std::string system;
    std::string train_on = "completion";

    std::int64_t max_length = 1024;

    SftRecipe() { epochs = 5; }

    /// Every field, in the order of the form.
    std::vector<Binding> bindings();
    void adapt_defaults(const Json& given);
    /// What no single field shows, e.g. patience without evaluation.
    std::vector<FieldProblem> problems_found() const;

    /// Missing fields keep their defaults. Throws Error(bad_input) with the first problem.
    static SftRecipe from(const Json& recipe);
    Json to_json() const; ///< complete, with "kind"
};

} // namespace tempera
