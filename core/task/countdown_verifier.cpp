#include "core/task/countdown_verifier.h"

#include "core/task/expression.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

namespace tempera {

namespace {

constexpr double wrong = 0.1;

/// White space as str.strip() and `\s` know it, in UTF-8, besides the ASCII ones.
constexpr std::array<std::string_view, 19> wide_spaces = {
    "\xC2\x85",     "\xC2\xA0",     "\xE1\x9A\x80", "\xE2\x80\x80", "\xE2\x80\x81",
    "\xE2\x80\x82", "\xE2\x80\x83", "\xE2\x80\x84", "\xE2\x80\x85", "\xE2\x80\x86",
    "\xE2\x80\x87", "\xE2\x80\x88", "\xE2\x80\x89", "\xE2\x80\x8A", "\xE2\x80\xA8",
    "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80"};

bool is_ascii_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r') || (c >= '\x1c' && c <= '\x1f');
}

/// Length of the white space character at the front or the back of `text`, 0 where there is none.
std::size_t space_at_end(std::string_view text, bool front) {
    if (text.empty()) return 0;
    if (is_ascii_space(front ? text.front() : text.back())) return 1;
    for (auto space : wide_spaces)
        if (front ? text.starts_with(space) : text.ends_with(space)) return space.size();
    return 0;
}

std::string_view strip(std::string_view text) {
    while (std::size_t length = space_at_end(text, true))
        text.remove_prefix(length);
    while (std::size_t length = space_at_end(text, false))
        text.remove_suffix(length);
    return text;
}

/// The whole numbers of an equation: maximal runs of digits, as re.findall(r"\d+"). nullopt where one is
/// larger than 64 bits hold (no given number is) or longer than the 4,300 digits Python's int() takes.
std::optional<std::vector<std::int64_t>> numbers_in(std::string_view equation) {
    std::vector<std::int64_t> numbers;
    auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    for (std::size_t at = 0; at < equation.size();) {
        if (!is_digit(equation[at])) {
            ++at;
            continue;
        }
        std::size_t end = at;
        while (end < equation.size() && is_digit(equation[end]))
            ++end;
        std::int64_t number = 0;
        auto [rest, error] = std::from_chars(equation.data() + at, equation.data() + end, number);
        if (error != std::errc() || end - at > 4300) return std::nullopt;
        numbers.push_back(number);
        at = end;
    }
    return numbers;
}

bool uses_exactly(std::string_view equation, std::span<const std::int64_t> nums) {
    auto used = numbers_in(equation);
    if (!used || used->size() != nums.size()) return false;
    std::vector<std::int64_t> given(nums.begin(), nums.end());
    std::sort(given.begin(), given.end());
    std::sort(used->begin(), used->end());
    return *used == given;
}

bool is_near(const PythonNumber& value, std::int64_t target) {
    if (const auto* whole = std::get_if<Int128>(&value)) return *whole == target;
    return std::abs(std::get<double>(value) - static_cast<double>(target)) < 1e-5;
}

std::string shown(const Expression& expression, const PythonNumber& value) {
    if (auto exact = evaluate_exactly(expression); exact.value) return exact.value->to_string();
    if (const auto* whole = std::get_if<Int128>(&value)) return to_string(*whole);
    std::array<char, 64> text{};
    auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), std::get<double>(value));
    return std::string(text.data(), end);
}

} // namespace

std::optional<std::string_view> extract_answer(std::string_view completion) {
    constexpr std::string_view open = "<answer>", close = "</answer>";
    std::size_t line = completion.rfind('\n');
    if (line != completion.npos) completion.remove_prefix(line + 1);
    std::optional<std::string_view> answer;
    while (true) {
        std::size_t begin = completion.find(open);
        if (begin == completion.npos) break;
        begin += open.size();
        std::size_t end = completion.find(close, begin);
        if (end == completion.npos) break;
        answer = completion.substr(begin, end - begin);
        completion.remove_prefix(end + close.size());
    }
    if (answer) answer = strip(*answer);
    return answer;
}

Verdict verify(std::span<const std::int64_t> nums, std::int64_t target, std::string_view completion) {
    auto answer = extract_answer(completion);
    if (!answer) return {0, "", "", "The last line holds no <answer>...</answer>."};
    Verdict verdict{wrong, std::string(*answer), "", ""};
    if (answer->empty()) {
        verdict.reason = "The answer is empty.";
        return verdict;
    }
    auto parsed = Expression::parse(*answer);
    const auto* expression = std::get_if<Expression>(&parsed);
    Evaluated<PythonNumber> result;
    if (expression) result = evaluate_as_python(*expression);
    if (result.value) verdict.value = shown(*expression, *result.value);
    if (!expression)
        verdict.reason = "Not a valid equation: " + std::get<std::string>(parsed);
    else if (!uses_exactly(*answer, nums))
        verdict.reason = "It does not use exactly the given numbers, each once.";
    else if (!result.value)
        verdict.reason = "It cannot be evaluated: " + result.problem;
    else if (!is_near(*result.value, target))
        verdict.reason = "Its value is " + verdict.value + ", the target is " + std::to_string(target) + ".";
    else {
        verdict.score = 1;
        verdict.reason = "It uses every number once and gives the target.";
    }
    return verdict;
}

} // namespace tempera
