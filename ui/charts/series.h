#pragma once

#include <memory>
#include <string>
#include <vector>

namespace tempera {

/// A measured line: all points, and the smoothed ones beside them. Immutable once shared between threads.
struct Series {
    std::vector<double> x;
    std::vector<double> y;
    std::vector<double> smooth;
    double low = 0;  ///< smallest finite y
    double high = 0; ///< largest finite y
};
using SeriesPointer = std::shared_ptr<const Series>;

/// Fills `smooth`, `low` and `high` from `y`. The smoothing is an exponential moving average with the
/// start-up bias removed (as TensorBoard's); 0 <= weight < 1, 0 = none. A value that is not finite is left
/// out of the average and stays in the line.
void finishSeries(Series& series, double weight);

} // namespace tempera
