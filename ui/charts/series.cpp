#include "ui/charts/series.h"

#include <cmath>
#include <limits>

namespace tempera {

void finishSeries(Series& series, double weight) {
    series.smooth.resize(series.y.size());
    series.low = std::numeric_limits<double>::infinity();
    series.high = -series.low;
    double average = 0;
    double decay = 1;
    for (std::size_t i = 0; i < series.y.size(); ++i) {
        const double y = series.y[i];
        if (!std::isfinite(y)) {
            series.smooth[i] = std::numeric_limits<double>::quiet_NaN();
            continue;
        }
        series.low = std::min(series.low, y);
        series.high = std::max(series.high, y);
        average = weight * average + (1 - weight) * y;
        decay *= weight;
        series.smooth[i] = average / (1 - decay);
    }
    if (series.low > series.high) series.low = series.high = 0;
}

} // namespace tempera
