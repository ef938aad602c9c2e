#include "core/task/synthetic.h"

#include "core/task/countdown_solver.h"
#include "core/task/expression.h"

#include <algorithm>

namespace tempera {

namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// Characters of a calculation.
bool belongs(char c) {
    return is_digit(c) || std::string_view("+-*/(). ").find(c) != std::string_view::npos;
}

bool has_value(std::string_view calculation, const Rational& claimed) {
    auto parsed = Expression::parse(calculation);
    const auto* expression = std::get_if<Expression>(&parsed);
    if (!expression) return false;
    const auto value = evaluate_exactly(*expression).value;
    return value && *value == claimed;
}

/// Whether any end of `left` ("1. 3 + 4") that begins with a number or "(" has the claimed value.
bool an_end_has_value(std::string_view left, const Rational& claimed) {
    for (std::size_t at = left.size(); at-- > 0;) {
        const bool starts = left[at] == '(' || (is_digit(left[at]) && (at == 0 || !is_digit(left[at - 1])));
        if (starts && has_value(left.substr(at), claimed)) return true;
    }
    return false;
}

/// A reason without its numbers and quoted parts, so that like ones are counted together.
std::string kind_of_reason(const std::string& reason) {
    if (reason.starts_with("The calculation")) return "A calculation of the worked solution is wrong.";
    if (reason.starts_with("Its value is")) return "The equation has another value than the target.";
    if (reason.starts_with("Not a valid equation")) return "Not a valid equation.";
    if (reason.starts_with("It cannot be evaluated")) return "It cannot be evaluated.";
    if (reason.starts_with("No reply")) return "No reply that could be used.";
    return reason;
}

} // namespace

std::string completion_of(const WrittenProblem& written, PromptStyle style) {
    const std::string answer = "<answer> " + written.equation + " </answer>";
    if (style == PromptStyle::brief) return written.solution + "\n" + answer;
    return " " + written.solution + "\n</think>\n" + answer;
}

std::string wrong_calculation(std::string_view text) {
    constexpr std::size_t longest_side = 120;
    for (std::size_t equals = text.find('='); equals != text.npos; equals = text.find('=', equals + 1)) {
        std::size_t begin = equals, number = equals + 1;
        while (begin > 0 && equals - begin < longest_side && belongs(text[begin - 1]))
            --begin;
        const std::string_view left = text.substr(begin, equals - begin);
        const bool calculates = left.find_first_of("+-*/") != left.npos;
        while (number < text.size() && text[number] == ' ')
            ++number;
        const bool negative = number < text.size() && text[number] == '-';
        std::size_t end = number += negative ? 1 : 0;
        while (end < text.size() && is_digit(text[end]))
            ++end;
        // "= 7/2", "= 3 * 4" and "= 2.5" claim something else than one whole number
        const bool goes_on = end < text.size()
                             && (std::string_view("/*+(").find(text[end]) != std::string_view::npos
                                 || (text[end] == '.' && end + 1 < text.size() && is_digit(text[end + 1])));
        std::size_t behind = end;
        while (behind < text.size() && text[behind] == ' ')
            ++behind;
        const bool chained = behind < text.size() && std::string_view("+-*/").find(text[behind]) != text.npos;
        if (!calculates || end == number || end - number > 15 || goes_on || chained) continue;
        const std::int64_t value = std::stoll(std::string(text.substr(number, end - number)));
        if (!an_end_has_value(left, Rational(negative ? -value : value)))
            return std::string(text.substr(begin, end - begin));
    }
    return "";
}

SyntheticFilter::Key SyntheticFilter::key_of(const CountdownProblem& problem) {
    Key key = problem.nums;
    std::sort(key.begin(), key.end());
    key.push_back(problem.target);
    return key;
}

SyntheticFilter::SyntheticFilter(std::span<const CountdownProblem> known,
                                 std::span<const CountdownProblem> held_out, bool by_split)
    : by_split_(by_split) {
    for (const CountdownProblem& problem : known)
        known_.insert(key_of(problem));
    for (const CountdownProblem& problem : held_out)
        held_out_.insert(key_of(problem));
}

SyntheticVerdict SyntheticFilter::check(const WrittenProblem& written, std::string completion) {
    const CountdownProblem& problem = written.problem;
    SyntheticVerdict found{SyntheticStep::parsed, {}, std::move(completion), {}};
    found.verdict = verify(problem.nums, problem.target, found.completion);
    auto rejected = [&](SyntheticStep step, std::string reason) {
        found.step = step;
        found.reason = std::move(reason);
        return found;
    };
    if (found.verdict.score < 1) return rejected(SyntheticStep::parsed, found.verdict.reason);
    if (const std::string wrong = wrong_calculation(written.solution); !wrong.empty())
        return rejected(SyntheticStep::parsed,
                        "The calculation \"" + wrong + "\" of the worked solution is wrong.");
    if (!solve(problem))
        return rejected(SyntheticStep::parsed, "The solver finds no solution with exact fractions.");
    const Key key = key_of(problem);
    if (held_out_.contains(key) || (by_split_ && split_of(problem) != Split::train))
        return rejected(SyntheticStep::correct, "The problem belongs to held-out data.");
    if (known_.contains(key)) return rejected(SyntheticStep::correct, "The problem is in the training data.");
    if (!kept_.insert(key).second) return rejected(SyntheticStep::correct, "The problem was written before.");
    found.step = SyntheticStep::fresh;
    return found;
}

void SyntheticFunnel::add(std::span<const SyntheticVerdict> problems, std::int64_t wanted) {
    std::int64_t read = 0;
    for (const SyntheticVerdict& one : problems) {
        read += one.step >= SyntheticStep::parsed ? 1 : 0;
        correct += one.step >= SyntheticStep::correct ? 1 : 0;
        fresh += one.step == SyntheticStep::fresh ? 1 : 0;
        if (one.step != SyntheticStep::fresh) ++reasons[kind_of_reason(one.reason)];
    }
    parsed += read;
    asked += std::max(wanted, static_cast<std::int64_t>(problems.size()));
}

} // namespace tempera
