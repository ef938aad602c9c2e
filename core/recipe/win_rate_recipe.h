#pragma once

#include "core/recipe/answer_fields.h"
#include "core/recipe/shared_fields.h"

namespace tempera {

/// Win-rate of a tuned model against its base (kind "win_rate"): both answer the same held-out prompts, and a
/// judge scores every answer. The defaults are the paper's.
struct WinRateRecipe : PromptFields, SamplingFields, JudgeFields, DeviceFields {
    std::string base;
    std::string tuned;
    double temperature = 0.2;
    std::int64_t bootstrap_resamples = 1000;

    WinRateRecipe();

    /// Every field, in the order of the form.
    std::vector<Binding> bindings();
    /// What no single field shows, e.g. a judge that cannot score these prompts.
    std::vector<FieldProblem> problems_found() const;

    /// Missing fields keep their defaults. Throws Error(bad_input) with the first problem.
    static WinRateRecipe from(const Json& recipe);
    Json to_json() const; ///< complete, with "kind"
};

} // namespace tempera
