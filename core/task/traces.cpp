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

const std::string& pick(const std::vector<std::string>& options, RandomStream& random) {
    return options[random.below(static_cast<std::uint32_t>(options.size()))];
}

struct Step {
    std::string left, right, result;
    char op = '+';
    std::string text(std::string_view space) const {
        std::string s(space);
        return operand(left) + s + op + s + operand(right) + s + "=" + s + result;
    }
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

Calculation choose_solution(const CountdownProblem& problem, RandomStream& random) {
    auto solutions = plain_solutions(problem);
    if (solutions.empty())
        fail(ErrorKind::bad_input, "The target " + std::to_string(problem.target) + " cannot be reached with "
                                       + listed(pool_of(problem)) + ".");
    return std::move(solutions[random.below(static_cast<std::uint32_t>(solutions.size()))]);
}

std::string joined(const std::vector<std::string>& items) {
    std::string text;
    for (const auto& item : items)
        text += " " + item;
    return text;
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
        text += step.text("") + joined(pool) + "\n";
        pool.push_back(step.result);
    }
    return text + answer_line(solution);
}

std::string brief_trace(const CountdownProblem& problem, const Calculation& solution) {
    return solution.is_simple() ? backward_trace(problem, solution) : forward_trace(problem, solution);
}

/// One random step on `pool` with a positive whole result; nullopt where the draw gives none.
std::optional<Step> random_step(const std::vector<std::int64_t>& pool, std::size_t i, std::size_t j,
                                RandomStream& random) {
    std::int64_t a = std::max(pool[i], pool[j]), b = std::min(pool[i], pool[j]), result = 0;
    char op = "+-*/"[random.below(4)];
    if (op == '+') result = a + b;
    if (op == '-') result = a - b;
    if (op == '*') {
        if (a > 1000 || b > 1000) return std::nullopt;
        result = a * b;
    }
    if (op == '/') {
        if (b == 0 || a % b != 0) return std::nullopt;
        result = a / b;
    }
    if (result <= 0) return std::nullopt;
    return Step{std::to_string(a), std::to_string(b), std::to_string(result), op};
}

/// A calculation that uses every number and misses the target; empty where a few draws find none.
std::vector<Step> wrong_branch(const CountdownProblem& problem, RandomStream& random) {
    for (int attempt = 0; attempt < 20; ++attempt) {
        std::vector<std::int64_t> pool = problem.nums;
        std::vector<Step> steps;
        while (pool.size() > 1) {
            auto size = static_cast<std::uint32_t>(pool.size());
            std::size_t i = random.below(size), j = random.below(size - 1);
            if (j >= i) ++j;
            auto step = random_step(pool, i, j, random);
            if (!step) break;
            pool[i] = std::stoll(step->result);
            pool.erase(pool.begin() + static_cast<std::ptrdiff_t>(j));
            steps.push_back(std::move(*step));
        }
        if (pool.size() == 1 && pool[0] != problem.target) return steps;
    }
    return {};
}

std::string told_steps(Pool pool, const std::vector<Step>& steps, RandomStream& random) {
    std::string text;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const Step& step = steps[i];
        take(pool, step.left);
        take(pool, step.right);
        pool.push_back(step.result);
        text += (i == 0 ? "" : pick({" Then ", " Next, ", " Now "}, random)) + step.text(" ");
        text += pool.size() > 1 ? ", which leaves " + listed(pool) + "." : ".";
    }
    return text;
}

std::string told_failure(const CountdownProblem& problem, const std::string& result, RandomStream& random) {
    std::string target = std::to_string(problem.target);
    bool large = std::stoll(result) > problem.target;
    std::string fault = large ? "too large" : "too small";
    return pick({" But " + result + " is " + fault + ", so I go back and try something else.\n",
                 " That is " + fault + ": I need " + target + ". Let me go back.\n",
                 " " + result + " is not " + target + ". This does not work, so I try another way.\n"},
                random);
}

/// Where the last step joins one given number: what the others have to give for it.
std::string told_sub_goal(const Calculation& solution) {
    const auto& root = solution.nodes.back();
    if (root.op == 0) return "";
    const auto& left = solution.nodes[static_cast<std::size_t>(root.left)];
    const auto& right = solution.nodes[static_cast<std::size_t>(root.right)];
    if ((left.op == 0) == (right.op == 0)) return "";
    const auto& goal = left.op == 0 ? right : left;
    Step step{left.value.to_string(), right.value.to_string(), root.value.to_string(), root.op};
    return "Work backwards: " + step.text(" ") + ", so the other numbers have to give "
           + goal.value.to_string() + ".\n";
}

std::string cognitive_trace(const CountdownProblem& problem, const Calculation& solution,
                            RandomStream& random) {
    Pool pool = pool_of(problem);
    std::string target = std::to_string(problem.target), numbers = listed(pool);
    std::string text = pick({" I have " + numbers + " and want to reach " + target + ".\n",
                             " The target is " + target + " and the numbers are " + numbers + ".\n",
                             " Let me combine " + numbers + " to make " + target + ".\n"},
                            random);
    std::uint32_t branches = random.below(3);
    for (std::uint32_t i = 0; i < branches; ++i) {
        auto steps = wrong_branch(problem, random);
        if (steps.empty()) continue;
        text += pick({"Try ", "Let me try ", "What about "}, random) + told_steps(pool, steps, random);
        text += told_failure(problem, steps.back().result, random);
    }
    if (random.below(2) == 0) text += told_sub_goal(solution);
    std::string equation = solution.to_string(" ");
    text +=
        pick({"Try ", "Let me try ", "What about "}, random) + told_steps(pool, steps_of(solution), random);
    text += " That is the target.\n";
    text += "Check: " + equation + " = " + target + ", and it uses " + numbers + " once each.\n";
    return text + "</think>\n<answer> " + equation + " </answer>";
}

} // namespace

TraceStyle trace_style_from(std::string_view name) {
    if (name == "cognitive") return TraceStyle::cognitive;
    if (name == "short") return TraceStyle::brief;
    fail(ErrorKind::bad_input, "There is no trace style \"" + std::string(name)
                                   + "\"; use cognitive or short."
                                   + did_you_mean(name, {"cognitive", "short"}));
}

std::string listed(const std::vector<std::string>& items) {
    std::string text;
    for (std::size_t i = 0; i < items.size(); ++i)
        text += (i == 0 ? "" : i + 1 == items.size() ? " and " : ", ") + items[i];
    return text;
}

std::string make_trace(const CountdownProblem& problem, TraceStyle style, RandomStream& random) {
    Calculation solution = choose_solution(problem, random);
    return style == TraceStyle::brief ? brief_trace(problem, solution)
                                      : cognitive_trace(problem, solution, random);
}

} // namespace tempera
