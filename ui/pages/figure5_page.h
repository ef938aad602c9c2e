#pragma once

#include "ui/feed_types.h"

#include <QWidget>

class QCheckBox;
class QComboBox;
class QLabel;
class QSplitter;

namespace tempera {

class HeatMap;
class ScoreCurves;
class TemperatureStrip;
struct PaperValues;

/// Figure 5: score against temperature beside the temperature x N map; below, what single samples are like
/// per temperature.
class Figure5Page final : public QWidget {
    Q_OBJECT

public:
    explicit Figure5Page(QWidget* parent = nullptr);

    void setData(const RunDataPointer& data);
    void setPaperValues(const PaperValues& values);

    ScoreCurves* curves() const { return curves_; }
    HeatMap* heatMap() const { return map_; }
    TemperatureStrip* strip() const { return strip_; }
    QSplitter* splitter() const { return splitter_; }
    QCheckBox* paperBox() const { return paper_; }
    QCheckBox* allBox() const { return all_; }
    QComboBox* mapBox() const { return map_choice_; }

Q_SIGNALS:
    void cellOpened(double temperature, int n);

private:
    void showReported();

    ScoreCurves* curves_;
    HeatMap* map_;
    TemperatureStrip* strip_;
    QSplitter* splitter_;
    QCheckBox* paper_;
    QCheckBox* all_;
    QComboBox* map_choice_;
    QLabel* caption_;
    std::unique_ptr<PaperValues> values_;

public:
    ~Figure5Page() override;
};

} // namespace tempera
