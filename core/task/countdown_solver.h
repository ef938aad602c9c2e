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

/// The same value in one settled form: chains of + and - (and of * and /) are flattened; composite operands
/// are computed first; then come the added numbers in the order of the problem, then the subtracted ones. So
/// "3-42+92" and "92-(42-3)" both become 3+92-42, and what is left to decide is only which number is added
/// and which subtracted. The leaves of `calculation` stand in front, in the order of the problem, as solve()
/// leaves them.
Calculation settled(const Calculation& calculation);

/// The solutions to teach: settled, different from each other, simple (is_simple) where there are such, and
/// of those the ones with the fewest * and /. Empty where there is no solution. Problems of 5 and 6 numbers
/// give at most one besides sums.
std::vector<Calculation> plain_solutions(const CountdownProblem& problem);

/// Solves a problem by trying everything, with exact fractions: every number once, every order, every
/// grouping. At most 6 numbers (7 would take minutes): Error(bad_input) above.
std::optional<Calculation> solve(const CountdownProblem& problem);

/// All calculations that reach the target, one per set of steps (orders of independent steps and of the
/// operands of + and * are not told apart), at most `limit`.
std::vector<Calculation> solve_all(const CountdownProblem& problem, std::size_t limit = 1000);

} // namespace tempera
