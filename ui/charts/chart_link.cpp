#include "ui/charts/chart_link.h"

#include "ui/charts/plot_chart.h"

#include <QSignalBlocker>

#include <cmath>

namespace tempera {

void ChartLink::addCursorOnly(PlotChart* chart) {
    charts_.push_back(chart);
    connect(chart, &PlotChart::cursorMoved, this, [this, chart](double x) {
        for (PlotChart* other : charts_)
            if (other != chart) other->setCursor(x);
    });
}

void ChartLink::add(PlotChart* chart) {
    addCursorOnly(chart);
    ranges_.push_back(chart);
    connect(chart, &PlotChart::xRangeChanged, this, [this, chart](double low, double high) {
        for (PlotChart* other : ranges_) {
            if (other == chart) continue;
            const QSignalBlocker quiet(other);
            if (std::isfinite(low))
                other->setXRange(low, high);
            else
                other->resetView();
        }
    });
}

} // namespace tempera
