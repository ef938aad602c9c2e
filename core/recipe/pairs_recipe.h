#pragma once

#include "core/recipe/answer_fields.h"
#include "core/recipe/shared_fields.h"

namespace tempera {

/// Preference data from a model's own answers (kind "pairs"): k completions of every prompt are scored; the
/// best and the worst become a pair, the best alone an example for supervised fine-tuning. For reward models
/// there are pairs with answers to other prompts too.
struct PairsRecipe : PromptFields, SamplingFields, JudgeFields, DeviceFields {
    std::string model;
    std::int64_t k = 4;
    double temperature = 1.0;
    double min_margin = 0;
    double min_score = -1e6; ///< no limit: many judges score below 0
    std::int64_t off_topic = 0;

    PairsRecipe();

    /// Every field, in the order of the form.
    std::vector<Binding> bindings();
    /// What no single field shows, e.g. a judge that cannot score these prompts.
    std::vector<FieldProblem> problems_found() const;

    /// Missing fields keep their defaults. Throws Error(bad_input) with the first problem.
    static PairsRecipe from(const Json& recipe);
    Json to_json() const; ///< complete, with "kind"
};

} // namespace tempera
