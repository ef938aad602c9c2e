#pragma once

#include "ui/feed_types.h"

#include <QWidget>

#include <map>

class QGridLayout;
class QSlider;

namespace tempera {

class ChartLink;
class LineChart;
struct ShownPanel;

/// The live charts of a run: those of the table in metric_panels.h whose metrics are measured.
class RunPage final : public QWidget {
    Q_OBJECT

public:
    explicit RunPage(QWidget* parent = nullptr);

    void setData(const RunDataPointer& data);
    LineChart* chart(const QString& key) const;
    double smoothing() const;
    void setSmoothing(double weight);

Q_SIGNALS:
    void smoothingChanged(double weight);

private:
    LineChart* chartFor(const ShownPanel& panel);
    void arrange(const std::vector<LineChart*>& charts);

    std::map<QString, LineChart*> charts_; ///< by panel, made when they are first needed
    std::vector<LineChart*> shown_;        ///< in the order of the page
    ChartLink* link_;
    QGridLayout* grid_;
    QSlider* smoothing_;
    RunDataPointer data_;
};

} // namespace tempera
