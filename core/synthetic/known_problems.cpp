#include "core/synthetic/known_problems.h"

#include "core/data/jsonl.h"

#include <charconv>

namespace tempera {

namespace {

/// Reads a whole number at `at` and moves behind it.
std::optional<std::int64_t> number_at(std::string_view text, std::size_t& at) {
    std::int64_t number = 0;
    auto [rest, error] = std::from_chars(text.data() + at, text.data() + text.size(), number);
    if (error != std::errc()) return std::nullopt;
    at = static_cast<std::size_t>(rest - text.data());
    return number;
}

/// Numbers up to `end`, between spaces and commas.
std::optional<std::vector<std::int64_t>> numbers_until(std::string_view text, std::size_t& at, char end) {
    std::vector<std::int64_t> numbers;
    while (at < text.size() && text[at] != end) {
        if (text[at] == ' ' || text[at] == ',') {
            ++at;
            continue;
        }
        const auto number = number_at(text, at);
        if (!number || numbers.size() == 6) return std::nullopt;
        numbers.push_back(*number);
    }
    if (at == text.size() || numbers.empty()) return std::nullopt;
    ++at;
    return numbers;
}

} // namespace

std::optional<CountdownProblem> problem_in_prompt(std::string_view prompt) {
    constexpr std::string_view using_numbers = "sing the numbers [", equals = "equals ";
    std::size_t at = prompt.find(using_numbers);
    const bool words = at != prompt.npos;
    at = words ? at + using_numbers.size() : 0;
    auto numbers = numbers_until(prompt, at, words ? ']' : ':');
    if (!numbers) return std::nullopt;
    if (words) {
        at = prompt.find(equals, at);
        if (at == prompt.npos) return std::nullopt;
        at += equals.size();
    }
    const auto target = number_at(prompt, at);
    if (!target) return std::nullopt;
    return CountdownProblem{std::move(*numbers), *target};
}

KnownProblems known_problems(const std::string& data, std::int64_t drawn, std::uint64_t data_seed) {
    if (data == "countdown") return {make_problems(Split::train, drawn, data_seed), 0};
    KnownProblems known;
    JsonlReader reader(data);
    while (auto row = reader.next()) {
        if (row->has("nums")) {
            known.problems.push_back(problem_from(*row));
            continue;
        }
        std::optional<CountdownProblem> found;
        for (const char* column : {"prompt", "query"})
            if (row->has(column) && row->value[column].is_string())
                found = problem_in_prompt(row->value[column].get_ref<const std::string&>());
        if (found)
            known.problems.push_back(std::move(*found));
        else
            ++known.unread;
    }
    return known;
}

} // namespace tempera
