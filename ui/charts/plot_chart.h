#pragma once

#include "ui/charts/chart.h"

#include <QTimer>

class QCPAbstractItem;
class QCPCurve;
class QCPGraph;
class QCPRange;
class QCPTextElement;
class QCustomPlot;

namespace tempera {

/// A chart with axes, over QCustomPlot: thin axes, light horizontal grid, title left and a readout right of
/// it; wheel zooms x, shift-wheel y, drag pans, double click resets; arrow keys move the crosshair, + and -
/// zoom, 0 resets. It redraws on a timer, at most 20 times a second, however often its data change.
class PlotChart : public Chart {
    Q_OBJECT

public:
    static constexpr int redraw_interval_ms = 50;
    /// Of values that are sums of numbers about 1 no more is known than this.
    static constexpr double rounding = 1e-12;

    PlotChart(const QString& title, const QString& x_label, const QString& y_label,
              QWidget* parent = nullptr);
    ~PlotChart() override;

    void paintChart(QCPPainter& painter, const QSizeF& size, const ChartStyle& style) final;
    void resetView() override;
    /// Charts of one page redraw a little apart, so that no turn of the event loop has to do them all.
    void setRedrawDelay(int milliseconds) { redraw_timer_.setInterval(redraw_interval_ms + milliseconds); }
    /// True while the user has zoomed or panned; the view then no longer follows the data.
    bool zoomed() const { return zoomed_; }
    int redrawCount() const { return redraw_count_; }
    QString readout() const { return readout_; }
    /// Where a point of the data lies in this widget, for tests and tips.
    QPointF pixelOf(double x, double y) const;
    /// What is written at the ticks of x and y, as drawn last, for tests.
    std::pair<QStringList, QStringList> tickLabels() const;
    /// The label of the y axis as drawn last, for tests.
    QString shownYLabel() const;
    void setXRange(double low, double high);
    double xLow() const;
    double xHigh() const;

public Q_SLOTS:
    /// Moves the crosshair to `x`; NaN hides it.
    void setCursor(double x);

Q_SIGNALS:
    void cursorMoved(double x);
    void xRangeChanged(double low, double high);

protected:
    /// Brings the plot up to date with the data, right before it is drawn.
    virtual void prepareDraw() {}
    /// Draws what lies over the data (end labels, flags, rings) inside `painter`, with the geometry of this
    /// moment.
    virtual void paintOverlay(QCPPainter& painter, const ChartStyle& style) = 0;
    /// Pens, brushes and tick fonts of what the subclass added to the plot.
    virtual void applySeriesStyle(const ChartStyle& style) = 0;
    /// The whole data's range; false where there are none.
    virtual bool dataRange(QRectF& range) const = 0;
    /// The x of the data nearest to `x`, and the text for the readout there.
    virtual double nearestX(double x) const = 0;
    virtual QString readoutAt(double x) const = 0;
    /// Where the crosshair goes for a place in the plot; its x, where the chart is not over another quantity.
    virtual double cursorAt(const QPointF& pixel) const;
    /// Where it goes by a key, one place further or back.
    virtual double cursorMovedBy(int places) const;
    /// The x where the crosshair stands; NaN without one.
    virtual double cursorX() const { return cursor_; }
    /// A click (not a drag) at these coordinates.
    virtual void clicked(double x, double y) {
        Q_UNUSED(x)
        Q_UNUSED(y)
    }
    /// Room at the right of the axes for end labels, in pixels.
    virtual int rightMargin(const ChartStyle& style) const = 0;

    void restyle() override;
    void showEvent(QShowEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;
    void scheduleRedraw();
    /// Data changed: follow them unless the user zoomed, redraw soon.
    void dataChanged();
    double cursor() const { return cursor_; }
    /// The whole label of the y axis, where `at` is beside the axis and it is shown cut; else "".
    QString cutLabelAt(const QPoint& at) const;
    /// The readout, right of the title.
    void paintReadout(QCPPainter& painter, const ChartStyle& style) const;

    QCustomPlot* plot_;

private:
    void applyStyle(const ChartStyle& style);
    /// The x axis over all data, as it is shown before one zooms.
    QCPRange wholeX(const QRectF& data) const;
    void xRangeMoved();
    void fitYLabel();
    void fitRange();
    void fitLabels(const ChartStyle& style);
    void redraw();
    void moveCursor(double x, bool tell);

    QTimer redraw_timer_;
    QCPTextElement* title_element_;
    ChartStyle style_;
    double cursor_;
    bool zoomed_ = false;
    bool fitting_ = false;
    bool exporting_ = false;
    bool overdue_ = false; ///< a redraw was left out while nothing of it was seen
    int redraw_count_ = 0;
    QString y_label_; ///< whole; the axis may have no room for it
    QPoint press_;
    QString readout_;
};

} // namespace tempera
