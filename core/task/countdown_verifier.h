#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tempera {

/// What the verifier says of one completion.
struct Verdict {
    double score = 0;     ///< 0, 0.1 or 1
    std::string equation; ///< the answer as it was extracted and stripped; "" where there is none
    std::string value;  ///< what it evaluates to, as an exact rational "29" or "7/2" (a decimal "1e+40" where
                        ///< the exact one needs more than 128 bits); "" where it does not evaluate
    std::string reason; ///< why the score is what it is, one sentence
};

/// Scores a completion (without its prompt) for the Countdown problem `nums`, `target`, with the rule of
/// TinyZero's verl/utils/reward_score/countdown.py, which the paper uses:
///  0    no answer: the last line (what follows the last "\n") holds no `<answer>...</answer>`; the last one
///  counts, its
///       content stripped of white space (Unicode's, as Python's str.strip).
///  0.1  an answer that is not a valid equation: the whole numbers in it (maximal runs of digits: 1.5 is a 1
///  and a 5) are
///       not the given ones as a multiset, there are characters other than digits + - * / ( ) . and white
///       space, or Python's eval would raise an error; or an equation whose value is wrong.
///  1    |value - target| < 1e-5, the value computed as Python computes it (see evaluate_as_python).
/// One deviation, on purpose: `//` and `**` are refused (0.1), where Python's eval would take them.
/// Whole numbers beyond 128 bits, and more than 2,900 operators inside each other, count as not evaluable
/// (0.1). Never throws for any input, linear in its length; bytes that are not UTF-8 are characters that are
/// not allowed.
Verdict verify(std::span<const std::int64_t> nums, std::int64_t target, std::string_view completion);

/// The stripped content of the last `<answer>...</answer>` on the last line; it points into `completion`.
std::optional<std::string_view> extract_answer(std::string_view completion);

} // namespace tempera
