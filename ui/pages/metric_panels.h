#pragma once

#include "ui/charts/line_chart.h"
#include "ui/feed_types.h"

#include <QString>

#include <map>
#include <string>
#include <vector>

namespace tempera {

/// A chart of the run page: what it is called, and which metrics it draws where a run measures them. The page
/// follows from the metrics alone; the kind of run says only what stands there before it trains.
struct MetricPanel {
    struct Line {
        std::string metric; ///< may hold one '*': every metric that fits, named by what stands there
        QString name;       ///< "" = the chart's title says it
    };
    QString key, title, unit;
    std::vector<Line> lines;
    std::string deviation = {};             ///< half width of a band around the first line
    std::string low = {}, high = {};        ///< the edges of a band around the first line
    std::vector<std::string> expected = {}; ///< kinds of run that show it empty before their first step
};

/// In the order of the page. A metric "eval_NAME" goes with NAME, as dots.
const std::vector<MetricPanel>& metricPanels();

/// A chart with the lines that are measured.
struct ShownPanel {
    QString key, title, unit;
    std::vector<LineChart::Line> lines;
};

/// The charts of a run of this kind with these metrics, in order; behind those of the table one for every
/// metric that the table does not know, bookkeeping left out. Before its first step a run may have evaluated.
std::vector<ShownPanel> panelsFor(const std::map<std::string, SeriesPointer>& metrics,
                                  const std::string& kind);

} // namespace tempera
