#include "core/task/countdown.h"

#include "core/base/error.h"
#include "core/base/joined.h"
#include "core/base/random.h"
#include "core/base/suggest.h"
#include "core/data/task_rows.h"

#include <algorithm>
#include <optional>
#include <unordered_set>

namespace tempera {

namespace {

constexpr std::uint64_t drawing_stream =
    0x636f756e74646f77; // "countdow": apart from every other use of the seed

/// splitmix64's finaliser (Steele et al. 2014).
std::uint64_t mix(std::uint64_t x) {
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

/// The larger and the smaller of two numbers under a random operation, where the result is a whole number
/// above zero.
std::optional<std::int64_t> random_result(std::int64_t a, std::int64_t b, RandomStream& random) {
    std::int64_t larger = std::max(a, b), smaller = std::min(a, b);
    switch (random.below(4)) {
    case 0:
        return larger + smaller;
    case 1:
        return larger > smaller ? std::optional(larger - smaller) : std::nullopt;
    case 2:
        return larger * smaller;
    default:
        return larger % smaller == 0 ? std::optional(larger / smaller) : std::nullopt;
    }
}

std::optional<CountdownProblem> try_problem(int count, RandomStream& random) {
    CountdownProblem problem;
    for (int i = 0; i < count; ++i)
        problem.nums.push_back(random.between(1, 99));
    std::vector<std::int64_t> values = problem.nums;
    while (values.size() > 1) {
        auto size = static_cast<std::uint32_t>(values.size());
        std::uint32_t i = random.below(size), j = random.below(size - 1);
        if (j >= i) ++j;
        auto result = random_result(values[i], values[j], random);
        if (!result) return std::nullopt;
        values[i] = *result;
        values.erase(values.begin() + j);
    }
    problem.target = values[0];
    if (problem.target < 10 || problem.target > 99) return std::nullopt;
    return problem;
}

} // namespace

CountdownProblem random_problem(int count, RandomStream& random) {
    while (true)
        if (auto problem = try_problem(count, random)) return std::move(*problem);
}

Split split_from(std::string_view name) {
    for (Split split : {Split::train, Split::validation, Split::test})
        if (name == name_of(split)) return split;
    fail(ErrorKind::bad_input, "There is no split \"" + std::string(name)
                                   + "\"; use train, validation or test."
                                   + did_you_mean(name, {"train", "validation", "test"}));
}

const char* name_of(Split split) {
    return split == Split::train ? "train" : split == Split::validation ? "validation" : "test";
}

std::uint64_t canonical_hash(const CountdownProblem& problem) {
    std::vector<std::int64_t> sorted = problem.nums;
    std::sort(sorted.begin(), sorted.end());
    std::uint64_t hash = mix(static_cast<std::uint64_t>(problem.target));
    for (std::int64_t number : sorted)
        hash = mix(hash ^ static_cast<std::uint64_t>(number));
    return hash;
}

Split split_of(const CountdownProblem& problem) {
    std::uint64_t part = canonical_hash(problem) % 10;
    return part < 8 ? Split::train : part == 8 ? Split::validation : Split::test;
}

std::vector<CountdownProblem> make_problems(Split split, std::int64_t count, std::uint64_t seed) {
    constexpr std::int64_t most = 1000000;
    if (count < 0 || count > most)
        fail(ErrorKind::bad_input,
             "Between 0 and 1,000,000 Countdown problems can be drawn, not " + std::to_string(count) + ".");
    RandomStream random(seed, drawing_stream);
    std::vector<CountdownProblem> problems;
    std::unordered_set<std::uint64_t> seen;
    problems.reserve(static_cast<std::size_t>(count));
    while (problems.size() < static_cast<std::size_t>(count)) {
        CountdownProblem problem = random_problem(random.between(3, 4), random);
        if (split_of(problem) == split && seen.insert(canonical_hash(problem)).second)
            problems.push_back(std::move(problem));
    }
    return problems;
}

CountdownProblem problem_from(const JsonRow& row) {
    return {row.integers("nums", 1, 6, 0, 1000000000),
            row.integer("target", -1000000000000000, 1000000000000000)};
}

std::vector<CountdownProblem> countdown_problems(const ProblemOptions& options, SkippedRows* skipped) {
    if (options.data == "countdown") return make_problems(options.split, options.count, options.data_seed);
    if (!names_data(options.data))
        fail(ErrorKind::bad_input, "Problems come from \"countdown\" or a data file or folder, not from \""
                                       + options.data + "\"." + did_you_mean(options.data, {"countdown"}));
    TaskRows rows(options.data, DataTask::countdown, options.columns, name_of(options.split));
    BadRows bad(options.bad_rows);
    std::vector<CountdownProblem> problems;
    while (options.count == 0 || problems.size() < static_cast<std::size_t>(options.count)) {
        auto row = rows.next();
        if (!row) break;
        bad.use(*row, [&](const JsonRow& good) { problems.push_back(problem_from(good)); });
    }
    bad.require_some(options.data);
    if (skipped) *skipped = bad.skipped_of(rows);
    return problems;
}

PromptStyle prompt_style_from(std::string_view name) {
    if (name == "paper") return PromptStyle::paper;
    if (name == "short") return PromptStyle::brief;
    fail(ErrorKind::bad_input, "There is no prompt style \"" + std::string(name) + "\"; use paper or short."
                                   + did_you_mean(name, {"paper", "short"}));
}

std::string format_prompt(const CountdownProblem& problem, PromptStyle style) {
    const std::string list = joined(problem.nums, style == PromptStyle::paper ? ", " : " ");
    std::string target = std::to_string(problem.target);
    if (style == PromptStyle::brief) return list + ":" + target + "\n";
    return "A conversation between User and Assistant. The user asks a question, and the Assistant solves "
           "it. The assistant "
           "first thinks about the reasoning process in the mind and then provides the user with the "
           "answer.\n"
           "User: Using the numbers ["
           + list + "], create an equation that equals " + target
           + ". You can use basic arithmetic operations (+, -, *, /) and each number can only be used once. "
             "Show your work in "
             "<think> </think> tags. And return the final answer in <answer> </answer> tags, for example "
             "<answer> (1 + 2) / 3 "
             "</answer>.\nAssistant: Let me solve this step by step.\n<think>";
}

} // namespace tempera
