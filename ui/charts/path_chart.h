#pragma once

#include "ui/charts/plot_chart.h"
#include "ui/charts/series.h"

namespace tempera {

/// Two metrics of a run against each other: a point per step, coloured by the step, over the path of their
/// smoothed values. Its crosshair stands on a step, so that it goes along with the charts over steps.
class PathChart final : public PlotChart {
    Q_OBJECT

public:
    PathChart(const QString& title, const QString& x_label, const QString& y_label,
              QWidget* parent = nullptr);

    void setXLabel(const QString& label);
    /// Steps that both have measured make the points.
    void setData(const SeriesPointer& x, const SeriesPointer& y);
    int pointCount() const { return static_cast<int>(points_.size()); }
    /// Where the point of a step lies in this widget, for tests; NaN where there is none.
    QPointF pixelOfStep(double step) const;

    QString csv() const override;
    QString summary() const override;

protected:
    void prepareDraw() override;
    void paintOverlay(QCPPainter& painter, const ChartStyle& style) override;
    void applySeriesStyle(const ChartStyle& style) override;
    bool dataRange(QRectF& range) const override;
    double nearestX(double step) const override;
    double cursorAt(const QPointF& pixel) const override;
    double cursorMovedBy(int points) const override;
    double cursorX() const override;
    QString readoutAt(double step) const override;
    int rightMargin(const ChartStyle& style) const override;

private:
    struct Point {
        double step, x, y, smooth_x, smooth_y;
    };
    /// Index of the point nearest to a step; points_ is not empty.
    std::size_t indexOf(double step) const;
    QColor colorOf(double step) const;
    void paintPoints(QCPPainter& painter, const ChartStyle& style) const;
    void paintScale(QCPPainter& painter, const ChartStyle& style) const;
    void paintCursor(QCPPainter& painter, const ChartStyle& style) const;

    SeriesPointer x_, y_;
    std::vector<Point> points_; ///< in the order of the steps, all finite
    QCPCurve* path_;
    bool stale_ = false;
};

} // namespace tempera
