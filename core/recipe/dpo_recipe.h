#pragma once

#include "core/recipe/shared_fields.h"

namespace tempera {

/// Direct preference optimisation (Rafailov et al. 2023). The defaults are the paper's where it states a
/// value, else TRL's.
struct DpoRecipe : RowFields, LoraFields, OptimiserFields, RunningFields, DeviceFields {
    std::string model = "tiny";
    std::string ref_model;
    std::string reference = "auto";
    std::string data = "countdown";
    std::string prompt_style = "paper";
    std::string trace_style = "cognitive";
    std::int64_t examples = 1000;
    std::int64_t validation_examples = 100;
    std::int64_t data_seed = 0;
    std::string system;

    std::string loss = "sigmoid";
    double beta = 0.1;
    double label_smoothing = 0;
    bool disable_dropout = true;
    std::int64_t max_length = 1024;

    DpoRecipe();

    /// Every field, in the order of the form.
    std::vector<Binding> bindings();
    void adapt_defaults(const Json& given);
    /// What no single field shows, e.g. a reference that the method does not have.
    std::vector<FieldProblem> problems_found() const;

    /// Missing fields keep their defaults. Throws Error(bad_input) with the first problem.
    static DpoRecipe from(const Json& recipe);
    Json to_json() const; ///< complete, with "kind"
};

} // namespace tempera
