#pragma once

#include "ui/charts/chart.h"
#include "ui/feed_types.h"

namespace tempera {

/// Win-rates: a row per run with its share of strict wins, ties and losses as one bar, Wilson's 95 % interval
/// around the end of the wins, and beside it rate, sign test and mean difference. A value the paper reports
/// is a hollow marker. A click or Enter opens the run of a row; arrow keys move the choice.
class WinRateBars final : public Chart {
    Q_OBJECT

public:
    explicit WinRateBars(QWidget* parent = nullptr);

    /// `shown`: the run the page is about.
    void setLines(const std::vector<WinRateLine>& lines, const std::string& shown);
    QRectF barRect(int row) const;
    QString describe(const WinRateLine& line) const;

    void paintChart(QCPPainter& painter, const QSizeF& size, const ChartStyle& style) override;
    QString csv() const override;
    QString summary() const override;
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

Q_SIGNALS:
    void runClicked(const QString& run_id);

protected:
    void paintEvent(QPaintEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    bool event(QEvent* event) override;
    void restyle() override;

private:
    struct Geometry {
        QRectF bars; ///< of all rows, from share 0 to 1
        double row_height = 0, bar_height = 0, name_left = 0, text_left = 0;
    };
    Geometry geometry(const QSizeF& size, const ChartStyle& style) const;
    QRectF bar(const Geometry& g, int row) const;
    int rowAt(const QPointF& at) const;
    void paintAll(QPainter& painter, const QSizeF& size, const ChartStyle& style, bool with_marks) const;
    void paintRow(QPainter& painter, const QRectF& bar, const WinRateLine& line, const Geometry& g,
                  const ChartStyle& style) const;
    void paintAxis(QPainter& painter, const Geometry& g, const ChartStyle& style) const;
    QString valueText(const WinRateLine& line) const;
    double textWidth(const QFontMetricsF& metrics) const;

    std::vector<WinRateLine> lines_;
    std::string shown_;
    int selected_ = 0;
};

} // namespace tempera
