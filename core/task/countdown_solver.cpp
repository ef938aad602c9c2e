#include "core/task/countdown_solver.h"

#include "core/base/error.h"

#include <algorithm>
#include <functional>
#include <set>
#include <unordered_set>

namespace tempera {

namespace {

int precedence(char op) {
    return op == '+' || op == '-' ? 1 : op == '*' || op == '/' ? 2 : 3;
}

void check_count(const CountdownProblem& problem) {
    if (problem.nums.size() > 6 || problem.nums.empty())
        fail(ErrorKind::bad_input,
             "The solver takes 1 to 6 numbers, not " + std::to_string(problem.nums.size()) + ".");
    constexpr std::int64_t largest = 1000000000000000000; // six of them add up within 64 bits
    for (std::int64_t number : problem.nums)
        if (number > largest || number < -largest)
            fail(ErrorKind::bad_input, "The solver takes numbers up to 10^18 in size.");
}

/// Depth-first over "replace two values by one"; `nodes_` is the tree under construction.
class Search {
public:
    Search(const CountdownProblem& problem, std::size_t limit, bool remember)
        : target_(problem.target), limit_(limit), remember_(remember) {
        check_count(problem);
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

/// Rebuilds a tree in the settled form.
class Settler {
public:
    explicit Settler(const Calculation& from) : from_(from.nodes) {
        for (const auto& node : from_)
            if (node.op == 0) to_.nodes.push_back(node);
    }

    Calculation run() {
        build(static_cast<int>(from_.size()) - 1);
        return std::move(to_);
    }

private:
    const Calculation::Node& node(int index) const { return from_[static_cast<std::size_t>(index)]; }

    /// The operands of the chain at `root`, those that add or multiply in `direct`, the others in `inverse`.
    void gather(int root, char direct_op, char inverse_op, bool inverted, std::vector<int>& direct,
                std::vector<int>& inverse) const {
        const auto& here = node(root);
        if (here.op != direct_op && here.op != inverse_op) {
            (inverted ? inverse : direct).push_back(root);
            return;
        }
        gather(here.left, direct_op, inverse_op, inverted, direct, inverse);
        gather(here.right, direct_op, inverse_op, inverted != (here.op == inverse_op), direct, inverse);
    }

    /// Index in `to_`. Recursion is at most as deep as there are numbers.
    int build(int root) {
        if (node(root).op == 0) return root;
        bool sum = precedence(node(root).op) == 1;
        char direct_op = sum ? '+' : '*', inverse_op = sum ? '-' : '/';
        std::vector<int> direct, inverse;
        gather(root, direct_op, inverse_op, false, direct, inverse);
        auto composite_first = [this](int a, int b) {
            bool x = node(a).op != 0, y = node(b).op != 0;
            return x != y ? x : a < b;
        };
        std::sort(direct.begin(), direct.end(), composite_first);
        std::sort(inverse.begin(), inverse.end(), composite_first);
        for (auto* operands : {&direct, &inverse})
            for (int& operand : *operands)
                operand = build(operand);
        int chain = direct[0];
        for (std::size_t i = 1; i < direct.size(); ++i)
            chain = join(direct_op, chain, direct[i]);
        for (int operand : inverse)
            chain = join(inverse_op, chain, operand);
        return chain;
    }

    int join(char op, int left, int right) {
        const Rational& a = to_.nodes[static_cast<std::size_t>(left)].value;
        const Rational& b = to_.nodes[static_cast<std::size_t>(right)].value;
        auto value = apply(op, a, b);
        if (!value) fail(ErrorKind::bad_input, "The numbers are too large to calculate with.");
        to_.nodes.push_back({op, left, right, *value});
        return static_cast<int>(to_.nodes.size()) - 1;
    }

    const std::vector<Calculation::Node>& from_;
    Calculation to_;
};

/// Added numbers first, then the subtracted ones; bit i of `added` speaks of number i. nullopt where a sum
/// leaves 128 bits.
std::optional<Calculation> signed_sum(const CountdownProblem& problem, std::uint32_t added) {
    Calculation calculation;
    for (std::int64_t number : problem.nums)
        calculation.nodes.push_back({0, -1, -1, Rational(number)});
    int chain = -1;
    for (bool plus : {true, false}) {
        for (int i = 0; i < static_cast<int>(problem.nums.size()); ++i) {
            if ((((added >> i) & 1) != 0) != plus) continue;
            if (chain < 0) {
                chain = i;
                continue;
            }
            const Rational& total = calculation.nodes[static_cast<std::size_t>(chain)].value;
            auto value = apply(plus ? '+' : '-', total, Rational(problem.nums[static_cast<std::size_t>(i)]));
            if (!value) return std::nullopt;
            calculation.nodes.push_back({plus ? '+' : '-', chain, i, *value});
            chain = static_cast<int>(calculation.nodes.size()) - 1;
        }
    }
    return calculation;
}

/// Every choice of added and subtracted numbers that gives the target, settled.
std::vector<Calculation> sums(const CountdownProblem& problem) {
    std::vector<Calculation> found;
    for (std::uint32_t added = 1; added < (1u << problem.nums.size()); ++added) {
        std::int64_t total = 0; // check_count: it fits
        for (std::size_t i = 0; i < problem.nums.size(); ++i)
            total += (added >> i) & 1 ? problem.nums[i] : -problem.nums[i];
        if (total != problem.target) continue;
        if (auto calculation = signed_sum(problem, added)) found.push_back(std::move(*calculation));
    }
    return found;
}

/// Keeps the first of equal ones.
void drop_repeats(std::vector<Calculation>& calculations) {
    std::set<std::string> seen;
    std::erase_if(calculations, [&](const Calculation& c) { return !seen.insert(c.to_string()).second; });
}

std::ptrdiff_t products_in(const Calculation& calculation) {
    return std::count_if(calculation.nodes.begin(), calculation.nodes.end(),
                         [](const auto& node) { return precedence(node.op) == 2; });
}

void keep_plainest(std::vector<Calculation>& calculations) {
    auto is_simple = [](const Calculation& c) { return c.is_simple(); };
    if (std::any_of(calculations.begin(), calculations.end(), is_simple))
        std::erase_if(calculations, std::not_fn(is_simple));
    std::ptrdiff_t fewest = 99;
    for (const auto& calculation : calculations)
        fewest = std::min(fewest, products_in(calculation));
    std::erase_if(calculations, [&](const Calculation& c) { return products_in(c) > fewest; });
}

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

Calculation settled(const Calculation& calculation) {
    return Settler(calculation).run();
}

std::vector<Calculation> plain_solutions(const CountdownProblem& problem) {
    check_count(problem);
    auto found = sums(problem);
    std::erase_if(found, [](const Calculation& c) { return !c.is_simple(); });
    if (found.empty()) {
        if (problem.nums.size() <= 4)
            found = solve_all(problem, 2000);
        else if (auto one = solve(problem))
            found.push_back(std::move(*one));
        for (auto& calculation : found)
            calculation = settled(calculation);
    }
    drop_repeats(found);
    keep_plainest(found);
    return found;
}

std::optional<Calculation> solve(const CountdownProblem& problem) {
    auto found = Search(problem, 1, true).run();
    return found.empty() ? std::nullopt : std::optional(std::move(found[0]));
}

std::vector<Calculation> solve_all(const CountdownProblem& problem, std::size_t limit) {
    return Search(problem, limit, false).run();
}

} // namespace tempera
