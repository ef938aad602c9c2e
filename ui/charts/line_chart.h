#pragma once

#include "ui/charts/plot_chart.h"
#include "ui/charts/series.h"

#include <optional>

namespace tempera {

/// A flag on the time axis.
struct ChartEvent {
    double x = 0;
    QString kind; ///< as RunEvent.kind
    QString text;
};

/// Measured lines over steps: the raw values at 25 % behind the smoothed ones, each named at its right end;
/// events as flags, those of the kind "health" as amber diamonds over a line.
class LineChart final : public PlotChart {
    Q_OBJECT

public:
    struct Line {
        QString name;
        SeriesPointer data;
        int color = 0;        ///< index of the series colour
        bool markers = false; ///< few points (evaluations): drawn with dots
        /// A band of 15 % around the line: half its width, or its two edges. Read at the line's own steps.
        SeriesPointer deviation = nullptr, low = nullptr, high = nullptr;
    };

    LineChart(const QString& title, const QString& x_label, const QString& y_label,
              QWidget* parent = nullptr);

    void setLines(std::vector<Line> lines);
    void setEvents(std::vector<ChartEvent> events);
    /// Shown in the middle while there is no point yet.
    void setEmptyText(const QString& text);
    /// What the y axis must show at least, e.g. 0..1 for a share.
    void setFixedLow(std::optional<double> low) { fixed_low_ = low; }

    QString csv() const override;
    QString summary() const override;

protected:
    void prepareDraw() override;
    void paintOverlay(QCPPainter& painter, const ChartStyle& style) override;
    void applySeriesStyle(const ChartStyle& style) override;
    bool dataRange(QRectF& range) const override;
    double nearestX(double x) const override;
    QString readoutAt(double x) const override;
    int rightMargin(const ChartStyle& style) const override;
    bool event(QEvent* event) override;

private:
    QString endLabel(const Line& line) const;
    bool hasPoints() const;
    void paintCrosshair(QCPPainter& painter, const ChartStyle& style) const;
    void paintEndLabels(QCPPainter& painter, const ChartStyle& style) const;
    void paintFlags(QCPPainter& painter, const ChartStyle& style) const;
    void styleDots(std::size_t line);
    void drawBand(std::size_t line);

    std::vector<Line> lines_;
    std::vector<SeriesPointer> drawn_; ///< what the graphs hold, per line
    std::vector<QCPGraph*> raw_;
    std::vector<QCPGraph*> smooth_;
    /// The band behind each line: lower and upper edge.
    struct Band {
        QCPGraph *low, *high;
        SeriesPointer drawn[4] = {}; ///< line, deviation, low and high that it was made of
    };
    std::vector<Band> bands_;
    std::vector<ChartEvent> events_;
    QString empty_text_;
    std::optional<double> fixed_low_;
};

} // namespace tempera
