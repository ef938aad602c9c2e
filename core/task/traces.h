#pragma once

#include "core/base/random.h"
#include "core/task/countdown_solver.h"

#include <string>
#include <string_view>

namespace tempera {

enum class TraceStyle {
    /// Search in few words, for prompts that end with <think>: up to two wrong branches, each given up where
    /// its last pair is
    /// seen not to fit (backtracking), then a right one from the target back to the numbers (sub-goals), and
    /// a check:
    ///   " Reach 42 with 92 36 77 9."
    ///   "42-9=33 left 92 36 77; 77-33=44 left 92 36; but 92+36=128 and 92-36=56, go back."
    ///   "42+9=51 left 92 36 77; 51+77=128 left 92 36; and 92+36=128 fits."
    ///   "Check: 92+36-77-9=42." "</think>" "<answer> 92+36-77-9 </answer>"
    cognitive,
    /// "short" in recipes, for models of a few million parameters: steps from the target back to the numbers,
    /// each with
    /// what is left to do ("42+9=51 92 36 77": now 51 from 92 36 77), then the answer; 20 to 72 characters
    /// and tags.
    brief
};
/// "cognitive" or "short". Throws Error(bad_input) for another name.
TraceStyle trace_style_from(std::string_view name);

/// A completion that solves `problem`, to warm a model up: the thinking, then on the last line
/// `<answer>...</answer>`, so that verify() gives it 1. The solution comes from the solver (whole positive
/// numbers on the way where there is such a one), the wrong branches and the choice among solutions from
/// `random`. Throws Error(bad_input) where the problem has no solution or more than 6 numbers.
std::string make_trace(const CountdownProblem& problem, TraceStyle style, RandomStream& random);

} // namespace tempera
