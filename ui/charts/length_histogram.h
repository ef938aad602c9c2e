#pragma once

#include "core/data/validation.h"
#include "ui/charts/plot_chart.h"

namespace tempera {

/// How long the rows of a data set are, with their median, 95th percentile and the length where they are cut.
class LengthHistogramChart final : public PlotChart {
    Q_OBJECT

public:
    explicit LengthHistogramChart(QWidget* parent = nullptr);

    /// `max_length` 0 = no row is cut.
    void setLengths(const LengthHistogram& lengths, std::int64_t max_length);

    QString csv() const override;
    QString summary() const override;
    QSize sizeHint() const override { return {360, 220}; }

protected:
    void prepareDraw() override;
    void paintOverlay(QCPPainter& painter, const ChartStyle& style) override;
    void applySeriesStyle(const ChartStyle& style) override;
    bool dataRange(QRectF& range) const override;
    double nearestX(double x) const override;
    QString readoutAt(double x) const override;
    int rightMargin(const ChartStyle& style) const override;

private:
    struct Mark {
        double x;
        QString text;
        bool limit; ///< where rows are cut
    };
    /// The bin that a length falls into; -1 = none.
    int binAt(double x) const;
    std::vector<Mark> marks() const;

    LengthHistogram lengths_;
    std::int64_t max_length_ = 0;
    QCPGraph* steps_;
    bool stale_ = false;
};

} // namespace tempera
