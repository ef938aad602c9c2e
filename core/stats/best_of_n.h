#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tempera {

/// Probability that at least one of N answers passes, from a pool of `samples` of which `passes` pass: the
/// unbiased estimate 1 - C(samples - passes, n) / C(samples, n) (Chen et al. 2021, "Evaluating Large Language
/// Models Trained on Code", eq. 1). 0 <= passes <= samples and 1 <= n <= samples, else Error(internal).
double pass_at_n(std::int64_t samples, std::int64_t passes, std::int64_t n);

/// Expected score of the best of N answers when a verifier picks it, for N = 1 .. min(n_max, M) at once, from
/// a pool of M scores: the mean over all C(M, N) subsets of their maximum, by order statistics
///   sum over i of s_(i) C(i-1, N-1) / C(M, N),   s_(1) <= ... <= s_(M).
/// Unbiased for every N, ties and graded scores included; with scores 0 and 1 it is pass_at_n. Element N-1
/// belongs to N. An empty pool gives an empty curve. Throws Error(numeric) for a score that is not finite.
std::vector<double> best_of_n_curve(std::span<const double> scores, std::int64_t n_max);

/// A mean with an interval around it.
struct Interval {
    double mean = 0;
    double low = 0;
    double high = 0;
};

/// Means of the columns of `values` (R, C) row by row, with percentile bootstrap intervals over the rows:
/// `resamples` times R rows are drawn with replacement, the same for every column. With `resamples` 0 or one
/// row, low = high = mean. The same seed gives the same intervals. Throws Error(internal) where `values` is
/// empty or not a multiple of `columns`, Error(numeric) for a confidence outside (0, 1).
std::vector<Interval> bootstrap_means(std::span<const double> values, std::size_t columns,
                                      std::int64_t resamples, std::uint64_t seed, double confidence = 0.95);

/// One row of the temperature x N map: for N = 1 .. n_max the mean over problems of best_of_n_curve, with a
/// 95 % bootstrap interval over problems. `pools[i]` holds all scores of problem i; a pool of fewer than
/// n_max scores is left out (it has no unbiased estimate for every N). Empty where no pool is left.
std::vector<Interval> best_of_n_means(std::span<const std::vector<double>> pools, std::int64_t n_max,
                                      std::int64_t resamples, std::uint64_t seed);

} // namespace tempera
