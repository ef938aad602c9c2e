#include "core/task/countdown_solver.h"

#include "core/base/error.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <unordered_set>

namespace tempera {

namespace {

int precedence(char op) {
    return op == '+' || op == '-' ? 1 : op == '*' || op == '/' ? 2 : 3;
}

/// Depth-first over "replace two values by one"; `nodes_` is the tree under construction.
class Search {
public:
    Search(const CountdownProblem& problem, std::size_t limit, bool remember)
        : target_(problem.target), limit_(limit), remember_(remember) {
        if (problem.nums.size() > 6 || problem.nums.empty())
            fail(ErrorKind::bad_input,
                 "The solver takes 1 to 6 numbers, not " + std::to_string(problem.nums.size()) + ".");
        for (std::int64_t number : problem.nums) {
            roots_.push_back(static_cast<int>(nodes_.size()));
            nodes_.push_back({0, -1, -1, Rational(number)});
        }
    }

    std::vector<Calculation> run() {
        visit();
        return std::move(found_);
    }

private:
    void visit() {
        if (roots_.size() == 1) {
            if (nodes_[static_cast<std::size_t>(roots_[0])].value == target_) keep();
            return;
        }
        if (remember_ && !seen_.insert(state()).second) return;
        for (std::size_t i = 0; i + 1 < roots_.size(); ++i) {
            for (std::size_t j = i + 1; j < roots_.size(); ++j) {
                combine(i, j, '+', false);
                combine(i, j, '-', false);
                combine(i, j, '-', true);
                combine(i, j, '*', false);
                combine(i, j, '/', false);
                combine(i, j, '/', true);
            }
        }
    }

    void combine(std::size_t i, std::size_t j, char op, bool swapped) {
        if (found_.size() >= limit_) return;
        int left = roots_[swapped ? j : i], right = roots_[swapped ? i : j];
        auto value = apply(op, nodes_[static_cast<std::size_t>(left)].value,
                           nodes_[static_cast<std::size_t>(right)].value);
        if (!value) return;
        std::vector<int> before = roots_;
        roots_.erase(roots_.begin() + static_cast<std::ptrdiff_t>(j));
        roots_[i] = static_cast<int>(nodes_.size());
        nodes_.push_back({op, left, right, *value});
        visit();
        nodes_.pop_back();
        roots_ = std::move(before);
    }

    /// The values still to be combined, in order, as a key.
    std::string state() const {
        std::vector<std::string> values;
        for (int root : roots_)
            values.push_back(nodes_[static_cast<std::size_t>(root)].value.to_string());
        std::sort(values.begin(), values.end());
        std::string key;
        for (const auto& value : values)
            key += value + " ";
        return key;
    }

    void keep() {
        std::vector<std::string> steps;
        for (const auto& node : nodes_) {
            if (node.op == 0) continue;
            std::string a = nodes_[static_cast<std::size_t>(node.left)].value.to_string();
            std::string b = nodes_[static_cast<std::size_t>(node.right)].value.to_string();
            if ((node.op == '+' || node.op == '*') && b < a) std::swap(a, b);
            steps.push_back(a + node.op + b);
        }
        std::sort(steps.begin(), steps.end());
        if (step_sets_.insert(steps).second) found_.push_back({nodes_});
    }

    Rational target_;
    std::size_t limit_;
    bool
        remember_; ///< states that were tried are not tried again: enough for the first solution, not for all
    std::vector<Calculation::Node> nodes_;
    std::vector<int> roots_;
    std::vector<Calculation> found_;
    std::set<std::vector<std::string>> step_sets_;
    std::unordered_set<std::string> seen_;
};

} // namespace

bool Calculation::is_simple() const {
    return std::all_of(nodes.begin(), nodes.end(), [](const Node& node) {
        return node.value.is_integer() && node.value.numerator() > 0;
    });
}

std::string Calculation::to_string(std::string_view space) const {
    return to_string(static_cast<int>(nodes.size()) - 1, space);
}

std::string Calculation::to_string(int root, std::string_view space) const {
    const Node& node = nodes[static_cast<std::size_t>(root)];
    if (node.op == 0) return node.value.to_string();
    auto operand = [&](int child, bool is_right) {
        std::string text = to_string(child, space);
        int inner = precedence(nodes[static_cast<std::size_t>(child)].op), outer = precedence(node.op);
        bool ordered = node.op == '-' || node.op == '/';
        bool enclosed = inner < outer || (is_right && ordered && inner == outer);
        return enclosed ? "(" + text + ")" : text;
    };
    std::string text = operand(node.left, false);
    text.append(space).push_back(node.op);
    return text.append(space).append(operand(node.right, true));
}

std::optional<Calculation> solve(const CountdownProblem& problem) {
    auto found = Search(problem, 1, true).run();
    return found.empty() ? std::nullopt : std::optional(std::move(found[0]));
}

std::vector<Calculation> solve_all(const CountdownProblem& problem, std::size_t limit) {
    return Search(problem, limit, false).run();
}

} // namespace tempera
