#pragma once

#include "ui/charts/chart.h"

#include "core/store/records.h"

#include <vector>

namespace tempera {

/// A slim table below Figure 5: pass@1, format rate, mean length and truncated share of single samples per
/// temperature, each value over a bar of its size.
class TemperatureStrip final : public Chart {
    Q_OBJECT

public:
    explicit TemperatureStrip(QWidget* parent = nullptr);

    void setRows(std::vector<SweepRow> rows);
    /// Marks the column of this temperature; NaN marks none.
    void highlight(double temperature);

    void paintChart(QCPPainter& painter, const QSizeF& size, const ChartStyle& style) override;
    QString csv() const override;
    QString summary() const override;
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;
    bool event(QEvent* event) override;
    void restyle() override;

private:
    void paintAll(QPainter& painter, const QSizeF& size, const ChartStyle& style) const;
    int columnAt(double x) const;

    std::vector<SweepRow> rows_;
    double highlight_;
};

} // namespace tempera
