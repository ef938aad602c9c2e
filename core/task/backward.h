#pragma once

#include "core/task/countdown_solver.h"

#include <string>
#include <vector>

namespace tempera {

/// One step from the target back to the numbers.
struct BackwardStep {
    enum class Kind {
        peel, ///< a number is taken out of the goal: left op right = the new goal, for the numbers in `rest`
        join, ///< two numbers become one: left op right = a new number, now the last of `rest`; the goal
              ///< stays
        meet  ///< the last two numbers give the goal: left op right = goal; `rest` is empty
    };
    Kind kind = Kind::peel;
    std::string left;
    std::string right;
    std::string result;
    char op = '+';
    std::vector<std::string> rest; ///< the numbers still to be used
    std::string goal;              ///< what they have to give

    /// "42+9=51"
    std::string text() const { return left + op + right + "=" + result; }
};

/// A solution told backwards, e.g. 42 from 92 36 77 9: 42+9=51 (of 92 36 77), 51+77=128 (of 92 36),
/// 92+36=128.
struct BackwardSolution {
    std::vector<BackwardStep> steps;
    Calculation calculation; ///< the same solution in the order of the steps, e.g. 92+36-77-9 or 42-(17-3)
};

/// Tells a simple solution (Calculation::is_simple; else Error(internal)) backwards. Goals stay whole and
/// never fall below zero: of a sum the last number goes first, so the next goal is either goal + number or
/// the difference of the two, and what is left to decide at every step of a sum is one of two; of a product
/// the divisors go first. That makes it the easiest form to learn: a guess at random reaches a sum of three
/// numbers every second time, one of four every fourth time.
BackwardSolution tell_backwards(const CountdownProblem& problem, const Calculation& solution);

} // namespace tempera
