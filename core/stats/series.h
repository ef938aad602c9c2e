#pragma once

#include <span>
#include <vector>

namespace tempera {

struct SeriesPoint {
    double x = 0;
    double y = 0;
};

/// At most about `most` points that draw the same picture: the points are cut into equal runs, and each keeps
/// its lowest and its highest in their order; the first and the last point always stay. So no peak is lost.
/// Points whose y is not finite are never lowest or highest; a run of nothing else keeps its first (a gap
/// stays a gap). Fewer than `most` points (or `most` below 4) come back as they are. x must not fall.
std::vector<SeriesPoint> downsample(std::span<const SeriesPoint> points, std::size_t most);

/// Mean of the last `window` finite values up to each place; NaN where there is none. window >= 1.
std::vector<double> moving_average(std::span<const double> values, std::size_t window);

/// Exponential moving average with weight `decay` (0 <= decay < 1) on the past, free of the start's bias
/// (divided by 1 - decay^k, as Adam's moments). A value that is not finite leaves the average as it is; NaN
/// before the first finite one.
std::vector<double> exponential_average(std::span<const double> values, double decay);

} // namespace tempera
