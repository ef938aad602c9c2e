#pragma once

#include "core/recipe/binding.h"

namespace tempera {

/// Countdown examples that a teacher writes and the verifier checks (kind "synthetic"), as the paper's Figure
/// 2: a model behind an endpoint, or the built-in solver.
struct SyntheticRecipe {
    std::string teacher = "solver";
    std::string endpoint;
    std::string teacher_model;
    double temperature = 1;
    std::int64_t max_tokens = 4096;
    std::int64_t problems_per_request = 8;

    std::int64_t examples = 1600;
    std::int64_t most_requests = 0;
    std::string prompt_style = "paper";
    std::string trace_style = "teacher";
    std::int64_t seed = 0;

    std::string train_data = "countdown";
    std::int64_t train_examples = 1000;
    std::int64_t data_seed = 0;
    std::string test_data = "countdown";

    /// Every field, in the order of the form.
    std::vector<Binding> bindings();
    /// What no single field shows, e.g. a teacher without an endpoint.
    std::vector<FieldProblem> problems_found() const;

    /// Missing fields keep their defaults. Throws Error(bad_input) with the first problem.
    static SyntheticRecipe from(const Json& recipe);
    Json to_json() const; ///< complete, with "kind"

    bool asks_endpoint() const { return teacher == "endpoint"; }
    /// most_requests, or four times what would do if every problem were kept.
    std::int64_t request_limit() const;
};

} // namespace tempera
