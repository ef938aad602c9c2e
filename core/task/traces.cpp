#include "core/task/traces.h"

#include "core/base/error.h"
#include "core/base/suggest.h"
#include "core/task/backward.h"

#include <algorithm>
#include <optional>

namespace tempera {

namespace {

/// Numbers in play: their text, in the order of the problem, results at the end.
using Pool = std::vector<std::string>;

void take(Pool& pool, const std::string& item) {
    pool.erase(std::find(pool.begin(), pool.end(), item));
}

Pool pool_of(const CountdownProblem& problem) {
    Pool pool;
    for (std::int64_t number : problem.nums)
        pool.push_back(std::to_string(number));
    return pool;
}

struct Step {
    std::string left, right, result;
    char op = '+';
    std::string text() const { return operand(left) + op + operand(right) + "=" + result; }
    /// Fractions and negative numbers in parentheses: 8/(1/3).
    static std::string operand(const std::string& number) {
        return number.find_first_of("-/") == number.npos ? number : "(" + number + ")";
    }
};

std::vector<Step> steps_of(const Calculation& calculation) {
    std::vector<Step> steps;
    auto text = [&](int node) { return calculation.nodes[static_cast<std::size_t>(node)].value.to_string(); };
    for (const auto& node : calculation.nodes)
        if (node.op != 0)
            steps.push_back({text(node.left), text(node.right), node.value.to_string(), node.op});
    return steps;
}

/// Each item after a space.
std::string joined(const std::vector<std::string>& items) {
    std::string text;
    for (const auto& item : items)
        text += " " + item;
    return text;
}

Calculation choose_solution(const CountdownProblem& problem, RandomStream& random) {
    auto solutions = plain_solutions(problem);
    if (solutions.empty())
        fail(ErrorKind::bad_input, "The target " + std::to_string(problem.target) + " cannot be reached with"
                                       + joined(pool_of(problem)) + ".");
    return std::move(solutions[random.below(static_cast<std::uint32_t>(solutions.size()))]);
}

std::string answer_line(const Calculation& calculation) {
    return "<answer>" + calculation.to_string() + "</answer>";
}

/// From the target back to the numbers: "42+9=51 92 36 77", the new goal and the numbers for it.
std::string backward_trace(const CountdownProblem& problem, const Calculation& solution) {
    auto told = tell_backwards(problem, solution);
    std::string text;
    for (const auto& step : told.steps) {
        text += step.text() + joined(step.rest);
        text += step.kind == BackwardStep::Kind::join ? ":" + step.goal + "\n" : "\n";
    }
    return text + answer_line(told.calculation);
}

/// Solutions over fractions or numbers below zero are told forwards: "8/3=8/3 3 8".
std::string forward_trace(const CountdownProblem& problem, const Calculation& solution) {
    Pool pool = pool_of(problem);
    std::string text;
    for (const Step& step : steps_of(solution)) {
        take(pool, step.left);
        take(pool, step.right);
        text += step.text() + joined(pool) + "\n";
        pool.push_back(step.result);
    }
    return text + answer_line(solution);
}

std::string brief_trace(const CountdownProblem& problem, const Calculation& solution) {
    return solution.is_simple() ? backward_trace(problem, solution) : forward_trace(problem, solution);
}

/// One way to take the last numbers of a sum out of the target, until two are left that do not give what
/// remains: bit i of `choice` says whether step i adds the number to the goal or takes the difference. Empty
/// where the last two do.
std::string dead_end(const CountdownProblem& problem, std::uint32_t choice) {
    std::vector<std::int64_t> rest = problem.nums;
    std::int64_t goal = problem.target;
    std::string text;
    for (; rest.size() > 2; choice >>= 1) {
        std::int64_t number = rest.back(), larger = std::max(goal, number), smaller = std::min(goal, number);
        rest.pop_back();
        bool sum = choice & 1;
        text += sum ? std::to_string(goal) + "+" + std::to_string(number)
                    : std::to_string(larger) + "-" + std::to_string(smaller);
        goal = sum ? goal + number : larger - smaller;
        text += "=" + std::to_string(goal) + " left";
        for (std::int64_t other : rest)
            text += " " + std::to_string(other);
        text += "; ";
    }
    std::int64_t a = std::max(rest[0], rest[1]), b = std::min(rest[0], rest[1]);
    if (a + b == goal || a - b == goal || a * b == goal || (b != 0 && a == b * goal)) return "";
    std::string pair = std::to_string(a) + "+" + std::to_string(b) + "=" + std::to_string(a + b) + " and "
                       + std::to_string(a) + "-" + std::to_string(b) + "=" + std::to_string(a - b);
    return text + "but " + pair + ", go back.\n";
}

/// Up to `count` different dead ends, in random order.
std::string wrong_branches(const CountdownProblem& problem, std::uint32_t count, RandomStream& random) {
    auto is_small = [](std::int64_t number) {
        return number >= 0 && number <= 1000000;
    }; // products fit 64 bits
    if (problem.nums.size() < 3 || !is_small(problem.target)
        || !std::all_of(problem.nums.begin(), problem.nums.end(), is_small))
        return "";
    std::string text;
    for (std::int64_t choice : shuffled_indices(std::int64_t{1} << (problem.nums.size() - 2), random)) {
        if (count == 0) break;
        std::string branch = dead_end(problem, static_cast<std::uint32_t>(choice));
        if (!branch.empty()) --count;
        text += branch;
    }
    return text;
}

std::string right_branch(const BackwardSolution& told) {
    std::string text;
    for (const auto& step : told.steps) {
        bool last = step.kind == BackwardStep::Kind::meet;
        text += last ? "and " + step.text() + " fits.\n" : step.text() + " left" + joined(step.rest);
        if (step.kind == BackwardStep::Kind::join) text += " for " + step.goal;
        if (!last) text += "; ";
    }
    return text;
}

/// The same for solutions that are told forwards.
std::string right_branch(const CountdownProblem& problem, const Calculation& solution) {
    Pool pool = pool_of(problem);
    std::string text;
    for (const Step& step : steps_of(solution)) {
        take(pool, step.left);
        take(pool, step.right);
        pool.push_back(step.result);
        text += step.text() + (pool.size() > 1 ? " left" + joined(pool) + "; " : " fits.\n");
    }
    return text;
}

std::string cognitive_trace(const CountdownProblem& problem, const Calculation& solution,
                            RandomStream& random) {
    std::string target = std::to_string(problem.target);
    std::string text = " Reach " + target + " with" + joined(pool_of(problem)) + ".\n";
    std::uint32_t draw = random.below(5); // none, one or two wrong branches: 2 : 2 : 1
    text += wrong_branches(problem, draw < 2 ? 0 : draw < 4 ? 1 : 2, random);
    Calculation answer = solution;
    if (solution.is_simple()) {
        auto told = tell_backwards(problem, solution);
        text += right_branch(told);
        answer = told.calculation;
    } else {
        text += right_branch(problem, solution);
    }
    std::string equation = answer.to_string();
    return text + "Check: " + equation + "=" + target + ".\n</think>\n<answer> " + equation + " </answer>";
}

} // namespace

TraceStyle trace_style_from(std::string_view name) {
    if (name == "cognitive") return TraceStyle::cognitive;
    if (name == "short") return TraceStyle::brief;
    fail(ErrorKind::bad_input, "There is no trace style \"" + std::string(name)
                                   + "\"; use cognitive or short."
                                   + did_you_mean(name, {"cognitive", "short"}));
}

std::string make_trace(const CountdownProblem& problem, TraceStyle style, RandomStream& random) {
    Calculation solution = choose_solution(problem, random);
    return style == TraceStyle::brief ? brief_trace(problem, solution)
                                      : cognitive_trace(problem, solution, random);
}

} // namespace tempera
