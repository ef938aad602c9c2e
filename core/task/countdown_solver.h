#pragma once

#include "core/task/countdown.h"
#include "core/task/rational.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tempera {

/// A calculation over the numbers of a problem, as a tree in one array: operands come before their operator,
/// the root is last. Leaves have op 0.
struct Calculation {
    struct Node {
        char op = 0; ///< 0, or one of + - * /
        int left = -1;
        int right = -1;
        Rational value;
    };
    std::vector<Node> nodes;

    const Rational& value() const { return nodes.back().value; }
    /// Every value on the way, the result included, is a whole number above zero.
    bool is_simple() const;
    /// With no more parentheses than needed, as Python reads it: "(42-17)*3-9"; `space` surrounds operators.
    std::string to_string(std::string_view space = "") const;
    /// The same for the subtree at `root`.
    std::string to_string(int root, std::string_view space) const;
};

/// Solves a problem by trying everything, with exact fractions: every number once, every order, every
/// grouping. At most 6 numbers (7 would take minutes): Error(bad_input) above.
std::optional<Calculation> solve(const CountdownProblem& problem);

/// All calculations that reach the target, one per set of steps (orders of independent steps and of the
/// operands of + and * are not told apart), at most `limit`.
std::vector<Calculation> solve_all(const CountdownProblem& problem, std::size_t limit = 1000);

} // namespace tempera
