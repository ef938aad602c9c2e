#pragma once

#include <QObject>

#include <vector>

namespace tempera {

class PlotChart;

/// Links the crosshair and the x range of the charts of one page.
class ChartLink final : public QObject {
    Q_OBJECT

public:
    using QObject::QObject;
    void add(PlotChart* chart);

private:
    std::vector<PlotChart*> charts_;
};

} // namespace tempera
