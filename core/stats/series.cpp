#include "core/stats/series.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tempera {

namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

/// Appends the lowest and the highest of points[begin, end) in their order.
void keep_extremes(std::span<const SeriesPoint> points, std::size_t begin, std::size_t end,
                   std::vector<SeriesPoint>& kept) {
    std::size_t lowest = end, highest = end;
    for (std::size_t i = begin; i < end; ++i) {
        if (!std::isfinite(points[i].y)) continue;
        if (lowest == end || points[i].y < points[lowest].y) lowest = i;
        if (highest == end || points[i].y > points[highest].y) highest = i;
    }
    if (lowest == end) {
        kept.push_back(points[begin]);
        return;
    }
    kept.push_back(points[std::min(lowest, highest)]);
    if (lowest != highest) kept.push_back(points[std::max(lowest, highest)]);
}

} // namespace

std::vector<SeriesPoint> downsample(std::span<const SeriesPoint> points, std::size_t most) {
    if (points.size() <= most || most < 4) return {points.begin(), points.end()};
    std::vector<SeriesPoint> kept{points.front()};
    std::size_t inner = points.size() - 2, runs = (most - 2) / 2;
    for (std::size_t run = 0; run < runs; ++run)
        keep_extremes(points, 1 + inner * run / runs, 1 + inner * (run + 1) / runs, kept);
    kept.push_back(points.back());
    return kept;
}

std::vector<double> moving_average(std::span<const double> values, std::size_t window) {
    std::vector<double> finite, averages;
    window = std::max<std::size_t>(window, 1);
    for (double value : values) {
        if (std::isfinite(value)) finite.push_back(value);
        std::size_t count = std::min(window, finite.size());
        double sum = 0; // summed anew each time: no error builds up over a long run
        for (std::size_t i = finite.size() - count; i < finite.size(); ++i)
            sum += finite[i];
        averages.push_back(count == 0 ? nothing : sum / static_cast<double>(count));
    }
    return averages;
}

std::vector<double> exponential_average(std::span<const double> values, double decay) {
    std::vector<double> averages;
    double average = 0, weight = 0;
    for (double value : values) {
        if (std::isfinite(value)) {
            average = decay * average + (1 - decay) * value;
            weight = decay * weight + (1 - decay);
        }
        averages.push_back(weight > 0 ? average / weight : nothing);
    }
    return averages;
}

} // namespace tempera
