#pragma once

#include "core/base/random.h"
#include "core/task/countdown_solver.h"

#include <string>
#include <string_view>

namespace tempera {

enum class TraceStyle {
    cognitive, ///< sentences: wrong branches with backtracking, sub-goals, verification; for prompts that end
               ///< with <think>
    brief      ///< "short" in recipes: the steps alone with the numbers left after each, for models of a few
               ///< million parameters
};
/// "cognitive" or "short". Throws Error(bad_input) for another name.
TraceStyle trace_style_from(std::string_view name);

/// A completion that solves `problem`, to warm a model up: the thinking, then on the last line
/// `<answer>...</answer>`, so that verify() gives it 1. The solution comes from the solver (whole positive
/// numbers on the way where there is such a one), the wrong branches and the choice among solutions from
/// `random`. Throws Error(bad_input) where the problem has no solution or more than 6 numbers.
std::string make_trace(const CountdownProblem& problem, TraceStyle style, RandomStream& random);

/// "3, 17 and 42"
std::string listed(const std::vector<std::string>& items);

} // namespace tempera
