#pragma once

#include <string>
#include <string_view>

namespace tempera {

/// What a judge's words say. A reply that does not hold exactly what was asked for gives no score: it is
/// never taken as 0, as a loss or as a win.
struct Reading {
    double value = 0;    ///< NaN = no score
    std::string problem; ///< why there is none, one sentence; "" with a score
};

/// The reply of nvidia/llama-3.1-nemotron-70b-reward: "reward:-18.73" and nothing else but white space. The
/// number is a finite decimal; two rewards, nan, inf, 1e999 and any other word give no score.
Reading read_reward(std::string_view reply);

/// The grade of a rubric, "[[7]]" or "[[7.5]]", from 1 to 10. The reply holds one pair of double brackets.
Reading read_grade(std::string_view reply);

/// The choice between two answers, "[[A]]", "[[B]]" or "[[C]]" for a tie, as 1, 0 or 0.5: A's share of the
/// win. The reply holds one pair of double brackets.
Reading read_choice(std::string_view reply);

} // namespace tempera
