#include "core/stats/calibration.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace tempera {

double expected_calibration_error(std::span<const double> margins, int bins) {
    if (margins.empty()) return std::numeric_limits<double>::quiet_NaN();
    std::vector<double> surplus(static_cast<std::size_t>(bins)); // sum of (right - certainty)
    for (double margin : margins) {
        double certainty = 1 / (1 + std::exp(-std::fabs(margin)));
        auto bin = static_cast<int>((certainty - 0.5) * 2 * bins);
        surplus[static_cast<std::size_t>(std::clamp(bin, 0, bins - 1))] += (margin > 0 ? 1 : 0) - certainty;
    }
    double error = 0;
    for (double sum : surplus)
        error += std::fabs(sum);
    return error / static_cast<double>(margins.size());
}

double correlation(std::span<const double> x, std::span<const double> y) {
    const double none = std::numeric_limits<double>::quiet_NaN();
    if (x.size() != y.size() || x.size() < 2) return none;
    const auto n = static_cast<double>(x.size());
    double mean_x = 0, mean_y = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        mean_x += x[i] / n;
        mean_y += y[i] / n;
    }
    double xx = 0, yy = 0, xy = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        xx += (x[i] - mean_x) * (x[i] - mean_x);
        yy += (y[i] - mean_y) * (y[i] - mean_y);
        xy += (x[i] - mean_x) * (y[i] - mean_y);
    }
    return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : none;
}

} // namespace tempera
