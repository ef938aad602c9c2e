#include "core/task/backward.h"

#include "core/base/error.h"

#include <algorithm>
#include <utility>

namespace tempera {

namespace {

/// An operand of a chain of + and - (or of * and /); `inverse` where it is subtracted (divides).
struct Operand {
    int node = 0; ///< in the tree that is told
    bool inverse = false;
};

/// Leaves of both trees are the same nodes, 0 .. count-1; a joined pair becomes a leaf of the told tree.
class Teller {
public:
    Teller(const CountdownProblem& problem, const Calculation& solution) : told_(settled(solution).nodes) {
        if (!solution.is_simple()) fail(ErrorKind::internal, "Only simple solutions are told backwards.");
        for (std::int64_t number : problem.nums) {
            rest_.push_back(std::to_string(number));
            result_.calculation.nodes.push_back({0, -1, -1, Rational(number)});
        }
        built_.resize(told_.size(), -1);
        for (std::size_t i = 0; i < problem.nums.size(); ++i)
            built_[i] = static_cast<int>(i);
    }

    BackwardSolution run() {
        tell(static_cast<int>(told_.size()) - 1);
        return std::move(result_);
    }

private:
    Calculation::Node& told(int node) { return told_[static_cast<std::size_t>(node)]; }
    const Rational& value(int node) { return told(node).value; }
    bool is_leaf(int node) { return told(node).op == 0; }
    static bool is_sum(char op) { return op == '+' || op == '-'; }

    /// Tells the subtree at `node`, whose value is the goal; the index of its copy in the result.
    int tell(int node) {
        if (is_leaf(node)) return built_[static_cast<std::size_t>(node)];
        bool sum = is_sum(told(node).op);
        std::vector<Operand> chain;
        gather(node, sum, false, chain);
        return tell_chain(chain, sum, value(node));
    }

    void gather(int node, bool sum, bool inverse, std::vector<Operand>& chain) {
        if (is_leaf(node) || is_sum(told(node).op) != sum) {
            chain.push_back({node, inverse});
            return;
        }
        bool flips = told(node).op == '-' || told(node).op == '/';
        gather(told(node).left, sum, inverse, chain);
        gather(told(node).right, sum, inverse != flips, chain);
    }

    int tell_chain(std::vector<Operand>& chain, bool sum, const Rational& goal) {
        if (std::all_of(chain.begin(), chain.end(), [](const Operand& o) { return o.inverse; }))
            for (Operand& operand : chain)
                operand.inverse = false; // 0 - 0, the only such sum that is not below zero
        if (chain.size() == 1) return tell(chain[0].node);
        auto leaf = next_leaf(chain, sum, goal);
        while (leaf == chain.end()) { // nothing to peel: compute the last composite operand first
            auto composite = std::find_if(chain.rbegin(), chain.rend(),
                                          [&](const Operand& o) { return !is_leaf(o.node); });
            join_all(composite->node);
            add_join_goal(goal);
            leaf = next_leaf(chain, sum, goal);
        }
        if (chain.size() == 2 && is_leaf(chain[0].node) && is_leaf(chain[1].node))
            return meet(chain, sum, goal);
        Operand operand = *leaf;
        chain.erase(leaf);
        return peel(chain, operand, sum, goal);
    }

    /// The leaf to peel: in a sum the last of the problem's order; in a product a divisor before a factor,
    /// and only where the new goal is whole. The end where there is none (then some operand is composite).
    std::vector<Operand>::iterator next_leaf(std::vector<Operand>& chain, bool sum, const Rational& goal) {
        auto best = chain.end();
        for (auto it = chain.begin(); it != chain.end(); ++it) {
            if (!is_leaf(it->node) || (!sum && !leaves_whole(chain, *it, goal))) continue;
            bool same = best != chain.end() && (sum || it->inverse == best->inverse);
            if (best == chain.end() || (same ? it->node > best->node : it->inverse)) best = it;
        }
        return best;
    }

    /// Whether a product without `operand` is whole (or its inverse is, where only divisors are left).
    bool leaves_whole(const std::vector<Operand>& chain, const Operand& operand, const Rational& goal) {
        auto others = std::count_if(chain.begin(), chain.end(),
                                    [&](const Operand& o) { return o.node != operand.node && !o.inverse; });
        const Rational& number = value(operand.node);
        return must(operand.inverse ? multiply(goal, number)
                    : others == 0   ? divide(number, goal)
                                    : divide(goal, number))
            .is_integer();
    }

    int peel(std::vector<Operand>& chain, const Operand& operand, bool sum, const Rational& goal) {
        const Rational number = value(operand.node);
        char forward = operand.inverse ? (sum ? '-' : '/') : (sum ? '+' : '*');
        char backward = operand.inverse ? (sum ? '+' : '*') : (sum ? '-' : '/');
        Rational next = must(apply(backward, goal, number));
        // The number stands first: goal = number - rest, or number / rest.
        bool first =
            sum ? next.numerator() < 0
                : std::all_of(chain.begin(), chain.end(), [](const Operand& o) { return o.inverse; });
        if (first) {
            next = must(apply(backward, number, goal));
            for (Operand& other : chain)
                other.inverse = !other.inverse;
            forward = backward;
        }
        const Rational& left = first ? number : goal;
        const Rational& right = first ? goal : number;
        drop(number);
        add_step(BackwardStep::Kind::peel, left, backward, right, next, next);
        int others = tell_chain(chain, sum, next), leaf = built_[static_cast<std::size_t>(operand.node)];
        return first ? build(forward, leaf, others) : build(forward, others, leaf);
    }

    int meet(const std::vector<Operand>& chain, bool sum, const Rational& goal) {
        bool swapped = chain[0].inverse;
        int left = chain[swapped ? 1 : 0].node, right = chain[swapped ? 0 : 1].node;
        char op = chain[0].inverse || chain[1].inverse ? (sum ? '-' : '/') : (sum ? '+' : '*');
        drop(value(left));
        drop(value(right));
        add_step(BackwardStep::Kind::meet, value(left), op, value(right), goal, goal);
        return build(op, built_[static_cast<std::size_t>(left)], built_[static_cast<std::size_t>(right)]);
    }

    /// Computes a whole subtree forwards; it is a leaf from then on.
    void join_all(int node) {
        if (is_leaf(node)) return;
        int left = told(node).left, right = told(node).right;
        join_all(left);
        join_all(right);
        drop(value(left));
        drop(value(right));
        rest_.push_back(value(node).to_string());
        add_step(BackwardStep::Kind::join, value(left), told(node).op, value(right), value(node),
                 Rational(0));
        built_[static_cast<std::size_t>(node)] = build(told(node).op, built_[static_cast<std::size_t>(left)],
                                                       built_[static_cast<std::size_t>(right)]);
        told(node).op = 0;
    }

    void add_join_goal(const Rational& goal) {
        for (auto it = result_.steps.rbegin();
             it != result_.steps.rend() && it->kind == BackwardStep::Kind::join; ++it)
            it->goal = goal.to_string();
    }

    void add_step(BackwardStep::Kind kind, const Rational& left, char op, const Rational& right,
                  const Rational& result, const Rational& goal) {
        result_.steps.push_back(
            {kind, left.to_string(), right.to_string(), result.to_string(), op, rest_, goal.to_string()});
    }

    void drop(const Rational& number) {
        rest_.erase(std::find(rest_.begin(), rest_.end(), number.to_string()));
    }

    int build(char op, int left, int right) {
        auto& nodes = result_.calculation.nodes;
        Rational result = must(apply(op, nodes[static_cast<std::size_t>(left)].value,
                                     nodes[static_cast<std::size_t>(right)].value));
        nodes.push_back({op, left, right, result});
        return static_cast<int>(nodes.size()) - 1;
    }

    static Rational must(const std::optional<Rational>& value) {
        if (!value) fail(ErrorKind::bad_input, "The numbers are too large to calculate with.");
        return *value;
    }

    std::vector<Calculation::Node> told_;
    std::vector<int> built_; ///< of a leaf of `told_`, its node in the result
    std::vector<std::string> rest_;
    BackwardSolution result_;
};

} // namespace

BackwardSolution tell_backwards(const CountdownProblem& problem, const Calculation& solution) {
    return Teller(problem, solution).run();
}

} // namespace tempera
