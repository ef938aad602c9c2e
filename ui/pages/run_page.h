#pragma once

#include "ui/feed_types.h"

#include <QTimer>
#include <QWidget>

#include <map>

class QGridLayout;
class QPushButton;
class QSlider;

namespace tempera {

class ChartLink;
class LineChart;
class PathChart;
class PlotChart;
struct ShownPanel;

/// The live charts of a run: those of the table in metric_panels.h whose metrics are measured.
class RunPage final : public QWidget {
    Q_OBJECT

public:
    explicit RunPage(QWidget* parent = nullptr);

    /// Which run the data that follow are of: what of it is still to come, and whether anything is.
    void setRun(const RunRecord& run);
    void setData(const RunDataPointer& data);
    LineChart* chart(const QString& key) const;
    /// Reward against KL; null where the run does not measure both.
    PathChart* path() const;
    double smoothing() const;
    void setSmoothing(double weight);

Q_SIGNALS:
    void smoothingChanged(double weight);

private:
    LineChart* chartFor(const ShownPanel& panel);
    PathChart* pathFor(const RunData& data);
    QString emptyText() const;
    void arrange(const std::vector<PlotChart*>& charts);
    bool shows(const PlotChart* chart) const;

    std::map<QString, LineChart*> charts_; ///< by panel, made when they are first needed
    PathChart* path_ = nullptr;            ///< made when it is first needed
    std::vector<PlotChart*> shown_;        ///< in the order of the page
    ChartLink* link_;
    QGridLayout* grid_;
    QSlider* smoothing_;
    QPushButton* reset_;
    std::string kind_;
    bool ended_ = false;
    RunDataPointer data_;
    QTimer more_timer_;
};

} // namespace tempera
