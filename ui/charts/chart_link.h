#pragma once

#include <QObject>

#include <vector>

namespace tempera {

class PlotChart;

/// Links the crosshair of the charts of one page, and the x range of those over the same quantity.
class ChartLink final : public QObject {
    Q_OBJECT

public:
    using QObject::QObject;
    void add(PlotChart* chart);
    /// Its crosshair alone goes along; its x axis shows something else.
    void addCursorOnly(PlotChart* chart);

private:
    std::vector<PlotChart*> charts_;
    std::vector<PlotChart*> ranges_; ///< of these the x range too
};

} // namespace tempera
