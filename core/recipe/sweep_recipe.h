#pragma once

#include "core/recipe/answer_fields.h"
#include "core/recipe/shared_fields.h"

namespace tempera {

/// Best-of-N over a temperature sweep: `n` samples of every problem at every temperature, verified; every
/// smaller N is estimated from the same samples.
struct SweepRecipe : RowFields, SamplingFields, DeviceFields {
    std::string model = "tiny";
    std::string adapter;
    std::string data = "countdown";
    std::string split = "test";
    std::int64_t problems = 100;
    std::int64_t data_seed = 0;
    std::string prompt_style = "paper";

    std::vector<double> temperatures = {0.1, 0.3, 0.5, 0.7, 0.9, 1.1, 1.3};
    std::int64_t n = 10;
    std::int64_t bootstrap_resamples = 1000;

    /// Every field, in the order of the form.
    std::vector<Binding> bindings();
    /// What no single field shows, e.g. a temperature named twice.
    std::vector<FieldProblem> problems_found() const;

    /// Missing fields keep their defaults. Throws Error(bad_input) with the first problem.
    static SweepRecipe from(const Json& recipe);
    Json to_json() const; ///< complete, with "kind"
};

} // namespace tempera
