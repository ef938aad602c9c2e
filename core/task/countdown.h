#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tempera {

struct JsonRow;
struct SkippedRows;
class RandomStream;

/// Reach `target` with every number of `nums` once and + - * /.
struct CountdownProblem {
    std::vector<std::int64_t> nums;
    std::int64_t target = 0;
    friend bool operator==(const CountdownProblem&, const CountdownProblem&) = default;
};

enum class Split { train, validation, test };
/// "train", "validation", "test". Throws Error(bad_input) for another name.
Split split_from(std::string_view name);
const char* name_of(Split split);

/// Which split a problem belongs to: by a hash of its sorted numbers and target, 80 % train, 10 % validation,
/// 10 % test. It depends on nothing else (no seed, no order of numbers), so the splits never share a problem,
/// whatever was drawn.
Split split_of(const CountdownProblem& problem);
std::uint64_t canonical_hash(const CountdownProblem& problem);

/// Draws `count` different problems (up to the order of numbers) of a split; the same (split, count, seed)
/// gives the same ones, and a longer list starts with the shorter one. As in the hub's
/// Jiayi-Pan/Countdown-Tasks-3to4 there are 3 or 4 numbers (evenly), each uniform in 1..99, and a target
/// within 10..99. The target is the value of a random calculation: two random numbers are replaced by the
/// result of a random operation until one is left, where a difference is positive and a division comes out
/// even; so every problem is solvable with positive whole numbers on the way. Throws Error(bad_input) for a
/// count above 1,000,000.
std::vector<CountdownProblem> make_problems(Split split, std::int64_t count, std::uint64_t seed);

/// One problem with `count` numbers (2 to 6), drawn as make_problems does, from any split.
CountdownProblem random_problem(int count, RandomStream& random);

/// The problem in a row with the columns `nums` (1 to 6 whole numbers from 0 to 10^9) and `target` (a whole
/// number up to 10^15 in size). Throws RowError.
CountdownProblem problem_from(const JsonRow& row);

/// Where a sweep's problems come from; the fields are those of recipes, by the same names.
struct ProblemOptions {
    std::string data = "countdown"; ///< draws from `split`; else a file or folder (TaskRows), in its order
    Split split = Split::test;      ///< of what is drawn, and of a folder that has it
    std::int64_t count = 0;         ///< at most so many; for files 0 = all
    std::uint64_t data_seed = 0;
    std::string columns;           ///< for files: see parse_columns(); "" = detected
    std::string bad_rows = "skip"; ///< for files: "skip" leaves out rows that cannot be used, "refuse" throws
};

/// Throws Error(bad_input) naming the option, or file, row and column; Error(not_found, io). `skipped`, where
/// given, gets what was left out.
std::vector<CountdownProblem> countdown_problems(const ProblemOptions& options,
                                                 SkippedRows* skipped = nullptr);

enum class PromptStyle {
    paper, ///< TinyZero's base template, verbatim; ends with "<think>"
    brief  ///< "short" in recipes: "3 17 42:31\n", for models of a few million parameters
};
/// "paper" or "short". Throws Error(bad_input) for another name.
PromptStyle prompt_style_from(std::string_view name);
std::string format_prompt(const CountdownProblem& problem, PromptStyle style);

} // namespace tempera
