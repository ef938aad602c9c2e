#pragma once

#include "ui/charts/chart.h"
#include "ui/charts/sweep_table.h"
#include "ui/theme/color_maps.h"

#include <optional>

namespace tempera {

/// Temperature x N: the value written in each cell in the ink that reads best on it, unfinished cells hatched
/// with their progress, the chosen cell outlined. Arrow keys move the choice, Enter or a click opens the
/// cell's samples.
class HeatMap final : public Chart {
    Q_OBJECT

public:
    struct Place {
        int column = -1;
        int row = -1;
        bool operator==(const Place&) const = default;
        bool valid() const { return column >= 0 && row >= 0; }
    };

    explicit HeatMap(QWidget* parent = nullptr);

    void setTable(const SweepTable& table);
    void setColorMap(ColorMap map);
    void select(double temperature, int n);
    Place selected() const { return selected_; }
    QRectF cellRect(int column, int row) const;
    QString readout() const;

    void paintChart(QCPPainter& painter, const QSizeF& size, const ChartStyle& style) override;
    QString csv() const override;
    QString summary() const override;
    QSize sizeHint() const override { return {480, 320}; }
    QSize minimumSizeHint() const override { return {240, 160}; }

Q_SIGNALS:
    void cellHovered(double temperature, int n); ///< n = 0: none
    void cellClicked(double temperature, int n);

protected:
    void paintEvent(QPaintEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    bool event(QEvent* event) override;
    void restyle() override { update(); }

private:
    struct Geometry {
        QRectF cells;
        double cell_width = 0, cell_height = 0;
        QRectF at(int column, int row, int rows) const;
    };
    Geometry geometry(const QSizeF& size, const ChartStyle& style) const;
    void paintCell(QPainter& painter, const QRectF& rect, const SweepCell* cell,
                   const ChartStyle& style) const;
    void paintAxes(QPainter& painter, const Geometry& g, const ChartStyle& style) const;
    void paintScale(QPainter& painter, const QSizeF& size, const Geometry& g, const ChartStyle& style) const;
    void paintAll(QPainter& painter, const QSizeF& size, const ChartStyle& style, bool with_marks) const;
    Place placeAt(const QPointF& at) const;
    QString describe(const SweepCell& cell) const;
    void open(Place place);

    SweepTable table_;
    ColorMap map_ = ColorMap::viridis;
    Place hovered_, selected_, pressed_;
};

} // namespace tempera
