#pragma once

#include "ui/feed_types.h"

#include <QWidget>

class QGridLayout;
class QSlider;

namespace tempera {

class ChartLink;
class LineChart;

/// The live charts of a run: loss, accuracy, learning rate, tokens per second; gradient norm and entropy
/// where they are measured.
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
    struct Panel {
        QString key;
        LineChart* chart;
        std::vector<std::pair<std::string, QString>> metrics; ///< name in the store, name on the line
        bool always;
    };
    void arrange();

    std::vector<Panel> panels_;
    ChartLink* link_;
    QGridLayout* grid_;
    QSlider* smoothing_;
    RunDataPointer data_;
};

} // namespace tempera
