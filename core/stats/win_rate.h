#pragma once

#include "core/stats/best_of_n.h"

#include <cstdint>
#include <span>

namespace tempera {

/// How a tuned model does against its base where a judge has scored both answers to the same prompts.
struct WinRate {
    std::int64_t prompts = 0;  ///< with both scores
    std::int64_t wins = 0;     ///< the tuned score is strictly higher
    std::int64_t losses = 0;   ///< strictly lower
    std::int64_t ties = 0;     ///< equal; a tie is no win
    std::int64_t unscored = 0; ///< pairs left out: a score is NaN
    double rate = 0;           ///< wins / prompts
    double low = 0, high = 1;  ///< Wilson's 95 % interval around it
    double p = 1;              ///< two-sided sign test over wins and losses; ties say nothing
    Interval difference;       ///< mean of tuned - base, with a 95 % bootstrap interval over prompts
    double base_mean = 0, tuned_mean = 0;
};

/// `base` and `tuned` (N) belong together pair by pair. The same seed gives the same interval. Without a
/// scored pair all is 0, the interval 0 .. 1. Throws Error(internal) for lists of unequal length,
/// Error(numeric) for an infinite score.
WinRate win_rate(std::span<const double> base, std::span<const double> tuned, std::int64_t resamples,
                 std::uint64_t seed);

/// Wilson's score interval of a share (Wilson 1927), without continuity correction:
///   (p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n),   z = 1.96 for 95 %.
/// 0 <= successes <= trials, else Error(internal). No trials: 0 .. 1.
Interval wilson_interval(std::int64_t successes, std::int64_t trials, double z = 1.959963984540054);

/// Exact two-sided sign test: the probability of a split at least as uneven as this one among wins + losses
/// tosses of a fair coin, min(1, 2 P(X <= min(wins, losses))). 1 where both are 0.
double sign_test(std::int64_t wins, std::int64_t losses);

} // namespace tempera
