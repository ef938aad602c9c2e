#pragma once

#include "core/recipe/shared_fields.h"

namespace tempera {

/// Trains a reward model: an encoder with one score. The defaults are the paper's.
struct RewardRecipe : RowFields, OptimiserFields, RunningFields, DeviceFields {
    std::string model = "minilm-l6";
    std::string objective = "bradley-terry";
    std::string data = "countdown";
    std::int64_t examples = 1000;
    std::int64_t validation_examples = 100;
    std::int64_t data_seed = 0;
    std::string text = "plain";
    std::string system = "You are a helpful assistant.";
    std::int64_t max_length = 512;
    std::vector<std::string> added_tokens;

    bool use_margin = false;
    double center_rewards = 0;
    bool dropout = true;

    RewardRecipe();

    bool is_regression() const { return objective == "regression"; }

    /// Every field, in the order of the form.
    std::vector<Binding> bindings();
    void adapt_defaults(const Json& given);
    std::vector<FieldProblem> problems_found() const;

    /// Missing fields keep their defaults. Throws Error(bad_input) with the first problem.
    static RewardRecipe from(const Json& recipe);
    Json to_json() const; ///< complete, with "kind"
};

} // namespace tempera
