#include "core/stats/win_rate.h"

#include "core/base/error.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace tempera {

Interval wilson_interval(std::int64_t successes, std::int64_t trials, double z) {
    if (successes < 0 || successes > trials)
        fail(ErrorKind::internal, "wilson_interval needs 0 <= successes <= trials.");
    if (trials == 0) return {0, 0, 1};
    const double n = static_cast<double>(trials), share = static_cast<double>(successes) / n;
    const double scale = 1 + z * z / n, centre = share + z * z / (2 * n);
    const double half = z * std::sqrt(share * (1 - share) / n + z * z / (4 * n * n));
    // The ends are exact where all or none succeed; rounding must not put them beyond.
    const double low = successes == 0 ? 0 : std::max(0.0, (centre - half) / scale);
    const double high = successes == trials ? 1 : std::min(1.0, (centre + half) / scale);
    return {share, low, high};
}

double sign_test(std::int64_t wins, std::int64_t losses) {
    const std::int64_t n = wins + losses, fewer = std::min(wins, losses);
    // From the largest term P(X = fewer) down: each is k / (n - k + 1) of the one before it.
    const double count = static_cast<double>(n), k = static_cast<double>(fewer);
    double log_term = -count * std::numbers::ln2;
    for (double i = 1; i <= k; ++i)
        log_term += std::log((count - k + i) / i);
    double term = 1, sum = 0;
    for (std::int64_t i = fewer; i >= 0 && term > 1e-18; --i) {
        sum += term;
        term *= static_cast<double>(i) / static_cast<double>(n - i + 1);
    }
    return std::min(1.0, 2 * sum * std::exp(log_term));
}

WinRate win_rate(std::span<const double> base, std::span<const double> tuned, std::int64_t resamples,
                 std::uint64_t seed) {
    if (base.size() != tuned.size())
        fail(ErrorKind::internal, "win_rate needs as many base scores as tuned ones.");
    WinRate result;
    std::vector<double> differences;
    for (std::size_t i = 0; i < base.size(); ++i) {
        if (std::isnan(base[i]) || std::isnan(tuned[i])) {
            ++result.unscored;
            continue;
        }
        if (std::isinf(base[i]) || std::isinf(tuned[i]))
            fail(ErrorKind::numeric, "The judge gave an infinite score to prompt " + std::to_string(i) + ".");
        differences.push_back(tuned[i] - base[i]);
        result.base_mean += base[i];
        result.tuned_mean += tuned[i];
        result.wins += tuned[i] > base[i];
        result.losses += tuned[i] < base[i];
        result.ties += tuned[i] == base[i];
    }
    result.prompts = static_cast<std::int64_t>(differences.size());
    if (differences.empty()) return result;
    result.base_mean /= static_cast<double>(result.prompts);
    result.tuned_mean /= static_cast<double>(result.prompts);
    const Interval share = wilson_interval(result.wins, result.prompts);
    result.rate = share.mean;
    result.low = share.low;
    result.high = share.high;
    result.p = sign_test(result.wins, result.losses);
    result.difference = bootstrap_means(differences, 1, resamples, seed).front();
    return result;
}

} // namespace tempera
