#pragma once

#include "core/recipe/synthetic_recipe.h"
#include "core/task/countdown.h"

#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

namespace tempera {

/// The problem that a prompt of either style, or of TinyZero's own, puts: "Using the numbers [3, 17, 42],
/// create an equation that equals 28", "3 17 42:28". None where there is none.
std::optional<CountdownProblem> problem_in_prompt(std::string_view prompt);

/// Problems that examples are compared with.
struct KnownProblems {
    std::vector<CountdownProblem> problems;
    std::int64_t unread = 0; ///< rows of the file that hold none
};
/// "countdown" stands for what a run of kind sft draws (`drawn` problems of the train split); else the file's
/// rows: nums and target, or a problem in prompt or query. Throws Error.
KnownProblems known_problems(const std::string& data, std::int64_t drawn, std::uint64_t data_seed);

} // namespace tempera
