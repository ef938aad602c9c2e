#pragma once

#include "core/task/countdown_verifier.h"
#include "core/task/written_problem.h"

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tempera {

/// How far a problem of a teacher comes: each is counted in all steps up to its own.
enum class SyntheticStep {
    asked,   ///< nothing that can be read came
    parsed,  ///< a problem and a worked solution, but wrong
    correct, ///< verifier and solver agree, but it is known already
    fresh    ///< kept: a new example
};

/// What became of one problem.
struct SyntheticVerdict {
    SyntheticStep step = SyntheticStep::asked;
    std::string reason;     ///< why it is not kept, one sentence
    std::string completion; ///< what is learnt, where it could be read
    Verdict verdict;        ///< of that completion
};

/// The completion that teaches a written solution: its words inside the prompt's think tag, or before the
/// answer where the prompt's style has none.
std::string completion_of(const WrittenProblem& written, PromptStyle style);

/// The first calculation in a text ("7 * 8 = 54") that is wrong; "" where all that can be read are right. A
/// claim is read generously: it counts as right where any end of what stands before "=" has that value.
std::string wrong_calculation(std::string_view text);

/// Keeps what is right and new.
class SyntheticFilter {
public:
    /// `known` are problems of the training data, `held_out` those of tests. With `by_split` everything that
    /// core/task's splits count as validation or test is held out too.
    SyntheticFilter(std::span<const CountdownProblem> known, std::span<const CountdownProblem> held_out,
                    bool by_split);

    /// A kept problem counts as known from then on (numbers in any order). `completion` is checked as the
    /// model will be; the equation and the worked solution's calculations are too, and the solver must find
    /// the problem solvable with exact fractions.
    SyntheticVerdict check(const WrittenProblem& written, std::string completion);

private:
    using Key = std::vector<std::int64_t>; ///< sorted numbers, then the target
    static Key key_of(const CountdownProblem& problem);

    std::set<Key> known_, held_out_, kept_;
    bool by_split_;
};

/// How many problems reached each step, and why the others did not.
struct SyntheticFunnel {
    std::int64_t asked = 0;
    std::int64_t parsed = 0;
    std::int64_t correct = 0;
    std::int64_t fresh = 0;
    std::map<std::string, std::int64_t> reasons; ///< by what went wrong, without the numbers in it

    /// `problems` that came of a request for `wanted`; what is missing of them counts as asked.
    void add(std::span<const SyntheticVerdict> problems, std::int64_t wanted);
};

} // namespace tempera
