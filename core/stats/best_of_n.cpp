#include "core/stats/best_of_n.h"

#include "core/base/error.h"
#include "core/base/random.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace tempera {

namespace {

constexpr std::uint64_t bootstrap_stream =
    0x626f6f7473747261; // "bootstra": apart from every other use of the seed

/// The value at `share` (0..1) of sorted values, interpolated linearly (numpy's default, Hyndman and Fan's
/// type 7).
double quantile(const std::vector<double>& sorted, double share) {
    double place = share * static_cast<double>(sorted.size() - 1);
    auto below = static_cast<std::size_t>(place);
    std::size_t above = std::min(below + 1, sorted.size() - 1);
    return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

std::vector<double> column_means(std::span<const double> values, std::size_t columns) {
    std::vector<double> means(columns, 0.0);
    for (std::size_t i = 0; i < values.size(); ++i)
        means[i % columns] += values[i];
    for (double& mean : means)
        mean /= static_cast<double>(values.size() / columns);
    return means;
}

} // namespace

double pass_at_n(std::int64_t samples, std::int64_t passes, std::int64_t n) {
    if (passes < 0 || passes > samples || n < 1 || n > samples)
        fail(ErrorKind::internal, "pass_at_n needs 0 <= passes <= samples and 1 <= n <= samples.");
    if (samples - passes < n) return 1.0;
    double none = 1.0; // C(M-c, n) / C(M, n) = product over i in M-c+1..M of (1 - n / i): no large factorials
    for (std::int64_t i = samples - passes + 1; i <= samples; ++i)
        none *= 1.0 - static_cast<double>(n) / static_cast<double>(i);
    return 1.0 - none;
}

std::vector<double> best_of_n_curve(std::span<const double> scores, std::int64_t n_max) {
    std::vector<double> sorted(scores.begin(), scores.end());
    for (double score : sorted)
        if (!std::isfinite(score)) fail(ErrorKind::numeric, "A score is not a finite number.");
    std::sort(sorted.begin(), sorted.end(), std::greater<>());
    auto count = static_cast<std::int64_t>(sorted.size());
    std::vector<double> curve;
    for (std::int64_t n = 1; n <= std::min(n_max, count); ++n) {
        // From the best down: the i-th best (i = 0..) is the maximum of C(M-1-i, N-1) subsets. Their share
        // starts at N/M and falls by (M-i-N) / (M-i-1), which stays within 0..1, so nothing overflows.
        double share = static_cast<double>(n) / static_cast<double>(count), expected = 0;
        for (std::int64_t i = 0; i + n <= count; ++i) {
            expected += share * sorted[static_cast<std::size_t>(i)];
            if (i + 1 < count)
                share *= static_cast<double>(count - i - n) / static_cast<double>(count - i - 1);
        }
        curve.push_back(expected);
    }
    return curve;
}

std::vector<Interval> bootstrap_means(std::span<const double> values, std::size_t columns,
                                      std::int64_t resamples, std::uint64_t seed, double confidence) {
    if (columns == 0 || values.empty() || values.size() % columns != 0)
        fail(ErrorKind::internal, "bootstrap_means needs at least one row, and whole rows.");
    if (!(confidence > 0 && confidence < 1)) fail(ErrorKind::numeric, "A confidence lies between 0 and 1.");
    std::size_t rows = values.size() / columns;
    auto means = column_means(values, columns);
    std::vector<Interval> intervals;
    for (double mean : means)
        intervals.push_back({mean, mean, mean});
    if (rows < 2 || resamples <= 0) return intervals;

    auto draws = static_cast<std::size_t>(resamples);
    std::vector<double> resampled(columns * draws, 0.0); // (C, resamples)
    std::vector<std::uint32_t> times(rows);
    std::vector<double> total(columns);
    for (std::size_t r = 0; r < draws; ++r) {
        RandomStream random(seed, bootstrap_stream, static_cast<std::uint32_t>(r));
        std::fill(times.begin(), times.end(), 0u);
        std::fill(total.begin(), total.end(), 0.0);
        for (std::size_t i = 0; i < rows; ++i)
            ++times[random.below(static_cast<std::uint32_t>(rows))];
        for (std::size_t row = 0; row < rows; ++row)
            for (std::size_t c = 0; times[row] != 0 && c < columns; ++c)
                total[c] += times[row] * values[row * columns + c];
        for (std::size_t c = 0; c < columns; ++c)
            resampled[c * draws + r] = total[c] / static_cast<double>(rows);
    }
    for (std::size_t c = 0; c < columns; ++c) {
        auto begin = resampled.begin() + static_cast<std::ptrdiff_t>(c * draws);
        std::vector<double> sorted(begin, begin + static_cast<std::ptrdiff_t>(draws));
        std::sort(sorted.begin(), sorted.end());
        intervals[c].low = quantile(sorted, (1 - confidence) / 2);
        intervals[c].high = quantile(sorted, (1 + confidence) / 2);
    }
    return intervals;
}

std::vector<Interval> best_of_n_means(std::span<const std::vector<double>> pools, std::int64_t n_max,
                                      std::int64_t resamples, std::uint64_t seed) {
    std::vector<double> values; // (problems, n_max)
    for (const auto& pool : pools) {
        if (static_cast<std::int64_t>(pool.size()) < n_max) continue;
        auto curve = best_of_n_curve(pool, n_max);
        values.insert(values.end(), curve.begin(), curve.end());
    }
    if (values.empty()) return {};
    return bootstrap_means(values, static_cast<std::size_t>(n_max), resamples, seed);
}

} // namespace tempera
