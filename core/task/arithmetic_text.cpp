#include "core/task/arithmetic_text.h"

#include "core/base/joined.h"
#include "core/task/backward.h"

#include <algorithm>
#include <optional>

namespace tempera {

namespace {

/// "57+36=93", or the other way round: "93=57+36".
std::string single_operation(RandomStream& random) {
    int a = random.between(1, random.below(3) == 0 ? 300 : 99), b = random.between(1, 99);
    std::uint32_t kind = random.below(8); // sums and differences thrice as often
    char op = kind < 3 ? '+' : kind < 6 ? '-' : kind == 6 ? '*' : '/';
    if (op == '/') a = b * random.between(1, 20);
    if (op == '-' && a < b) std::swap(a, b);
    int result = op == '+' ? a + b : op == '-' ? a - b : op == '*' ? a * b : a / b;
    std::string term = std::to_string(a) + op + std::to_string(b), value = std::to_string(result);
    return random.below(3) == 0 ? value + "=" + term : term + "=" + value;
}

/// Numbers and a value they can make: of the train split, so that no problem is met here that is tested on
/// later.
CountdownProblem drawn_numbers(RandomStream& random) {
    std::uint32_t kind = random.below(16);
    int count = kind < 2 ? 2 : kind < 8 ? 3 : 4;
    while (true) {
        CountdownProblem problem = random_problem(count, random);
        if (count == 2 || split_of(problem) == Split::train) return problem;
    }
}

std::optional<Calculation> random_solution(const CountdownProblem& problem, RandomStream& random) {
    auto solutions = plain_solutions(problem);
    if (solutions.empty() || !solutions[0].is_simple()) return std::nullopt;
    return std::move(solutions[random.below(static_cast<std::uint32_t>(solutions.size()))]);
}

/// "92 36 77 9 for 42: 42+9=51 (92 36 77), 51+77=128 (92 36), 92+36=128. 42=92+36-77-9"
std::string taken_apart(const CountdownProblem& problem, const Calculation& solution) {
    std::vector<std::string> numbers;
    for (std::int64_t number : problem.nums)
        numbers.push_back(std::to_string(number));
    std::string target = std::to_string(problem.target), text = joined(numbers, " ") + " for " + target + ":";
    auto told = tell_backwards(problem, solution);
    for (const auto& step : told.steps) {
        text += " " + step.text();
        if (step.kind == BackwardStep::Kind::peel) text += " (" + joined(step.rest, " ") + "),";
        if (step.kind == BackwardStep::Kind::join)
            text += " (" + joined(step.rest, " ") + " for " + step.goal + "),";
    }
    return text + ". " + target + "=" + told.calculation.to_string();
}

std::string line(RandomStream& random) {
    std::uint32_t kind = random.below(8);
    if (kind == 0) return single_operation(random);
    CountdownProblem problem = drawn_numbers(random);
    auto calculation = random_solution(problem, random);
    if (!calculation) return single_operation(random);
    if (kind == 1) return calculation->to_string() + "=" + std::to_string(problem.target);
    return taken_apart(problem, *calculation);
}

} // namespace

std::string arithmetic_text(RandomStream& random) {
    std::string text;
    while (text.size() < 180)
        text += line(random) + "\n";
    return text;
}

} // namespace tempera
