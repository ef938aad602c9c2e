#pragma once

#include "ui/charts/plot_chart.h"
#include "ui/charts/sweep_table.h"

#include <optional>

namespace tempera {

/// A score somebody reported, to be laid over ours as a hollow marker. Without a temperature it holds for all
/// of them and is drawn as a line: a marker would claim one.
struct ReportedScore {
    int n = 1;
    std::optional<double> temperature;
    double score = 0;
    QString label;
};

/// Figure 5: mean best-of-N score against the temperature, a line with its 95 % band per N, the best point
/// ringed. The Ns the paper shows (3, 5, 10), N = 1 and the largest stand out; the others are thin and
/// unnamed unless all are asked for.
class ScoreCurves final : public PlotChart {
    Q_OBJECT

public:
    explicit ScoreCurves(QWidget* parent = nullptr);

    void setTable(const SweepTable& table);
    void setShowAll(bool all);
    void setReported(std::vector<ReportedScore> reported);
    /// The Ns drawn strong, ascending.
    std::vector<int> strongCounts() const;

    QString csv() const override;
    QString summary() const override;

Q_SIGNALS:
    void cellClicked(double temperature, int n);

protected:
    void paintOverlay(QCPPainter& painter, const ChartStyle& style) override;
    void applySeriesStyle(const ChartStyle& style) override;
    bool dataRange(QRectF& range) const override;
    double nearestX(double x) const override;
    QString readoutAt(double x) const override;
    void clicked(double x, double y) override;
    int rightMargin(const ChartStyle& style) const override;

private:
    struct Line {
        int n;
        bool strong;
        QCPGraph *mean, *low, *high;
    };
    void rebuild();
    QString labelOf(int n) const;
    QColor colorOf(const ChartStyle& style, int n) const;
    void paintReported(QCPPainter& painter, const ChartStyle& style) const;
    void paintCursor(QCPPainter& painter, const ChartStyle& style) const;

    SweepTable table_;
    std::vector<Line> lines_;
    bool all_ = false;
    std::vector<ReportedScore> reported_;
};

} // namespace tempera
