#pragma once

#include "ui/charts/line_chart.h"
#include "ui/feed_types.h"

#include <QString>

#include <map>
#include <string>
#include <vector>

namespace tempera {

/// A chart of the run page: what it is called, and which metrics it draws where a run measures them. No kind
/// of run is named: the page follows from the metrics alone.
struct MetricPanel {
    struct Line {
        std::string metric; ///< may hold one '*': every metric that fits, named by what stands there
        QString name;       ///< "" = the chart's title says it
    };
    QString key, title, unit;
    std::vector<Line> lines;
    std::string deviation = {};      ///< half width of a band around the first line
    std::string low = {}, high = {}; ///< the edges of a band around the first line
    bool expected = false;           ///< shown empty while a run has measured nothing yet
};

/// In the order of the page. A metric "eval_NAME" goes with NAME, as dots.
const std::vector<MetricPanel>& metricPanels();

/// A chart with the lines that are measured.
struct ShownPanel {
    QString key, title, unit;
    std::vector<LineChart::Line> lines;
};

/// The charts of a run with these metrics, in order; behind those of the table one for every metric that the
/// table does not know, bookkeeping left out.
std::vector<ShownPanel> panelsFor(const std::map<std::string, SeriesPointer>& metrics);

} // namespace tempera
