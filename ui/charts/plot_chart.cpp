#include "ui/charts/plot_chart.h"

#include "ui/charts/overlay_item.h"

#include <QAbstractScrollArea>
#include <QContextMenuEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QVBoxLayout>

#include <cmath>
#include <limits>

namespace tempera {

PlotChart::PlotChart(const QString& title, const QString& x_label, const QString& y_label, QWidget* parent)
    : Chart(title, parent), plot_(new QCustomPlot(this)), cursor_(std::numeric_limits<double>::quiet_NaN()),
      y_label_(y_label) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(plot_);
    plot_->setFocusPolicy(Qt::NoFocus);
    plot_->setMouseTracking(true);
    plot_->setMinimumSize(160, 96);
    plot_->setInteractions(QCP::iRangeDrag | QCP::iRangeZoom);
    plot_->axisRect()->setRangeDrag(Qt::Horizontal | Qt::Vertical);
    plot_->installEventFilter(this);
    plot_->setNoAntialiasingOnDrag(false);

    title_element_ = new QCPTextElement(plot_, title);
    title_element_->setTextFlags(Qt::AlignLeft | Qt::AlignVCenter);
    title_element_->setMargins(QMargins(12, 8, 12, 4));
    plot_->plotLayout()->insertRow(0);
    plot_->plotLayout()->addElement(0, 0, title_element_);
    plot_->plotLayout()->setRowSpacing(0);
    plot_->axisRect()->setMinimumMargins(QMargins(12, 4, 12, 8));
    plot_->xAxis->setLabel(x_label);
    plot_->yAxis->setLabel(y_label);
    plot_->xAxis->grid()->setVisible(false);
    for (QCPAxis* axis : {plot_->xAxis, plot_->yAxis}) {
        axis->ticker()->setTickCount(4);
        axis->setTickLength(0, 3);
        axis->setSubTicks(false);
        axis->setNumberPrecision(4);
        axis->setNumberFormat(QStringLiteral("gb"));
    }
    plot_->yAxis->setTickLength(0, 0);
    // Joining the segments of a long noisy line takes Qt 40 ms on screen; apart they take a few (vector
    // export joins them).
    plot_->setPlottingHint(QCP::phFastPolylines, true);
    new OverlayItem(plot_, [this](QCPPainter& painter) {
        paintOverlay(painter, style_);
        if (exporting_) return;
        painter.setAntialiasing(false); // which shifts by half a pixel, and would blur the frame
        paintFocus(painter, style_);
    });

    connect(plot_, &QCustomPlot::beforeReplot, this, [this] { // resized too: not all room holds four labels
        const QMargins margins = plot_->axisRect()->minimumMargins();
        const int room = plot_->width() - margins.left() - margins.right();
        const int label = QFontMetrics(style_.font).horizontalAdvance(QStringLiteral("00000"));
        plot_->xAxis->ticker()->setTickCount(std::clamp(room / label, 2, 4));
    });
    connect(plot_, &QCustomPlot::afterLayout, this, &PlotChart::fitYLabel);

    redraw_timer_.setSingleShot(true);
    redraw_timer_.setTimerType(Qt::PreciseTimer); // a coarse one may be early: more than twenty a second
    redraw_timer_.setInterval(redraw_interval_ms);
    connect(&redraw_timer_, &QTimer::timeout, this, &PlotChart::redraw);
    connect(plot_->xAxis, qOverload<const QCPRange&>(&QCPAxis::rangeChanged), this, [this] {
        if (!fitting_) xRangeMoved();
    });
    connect(plot_->yAxis, qOverload<const QCPRange&>(&QCPAxis::rangeChanged), this, [this] {
        if (!fitting_) zoomed_ = true;
    });
}

PlotChart::~PlotChart() = default;

void PlotChart::restyle() {
    applyStyle(ChartStyle::forWidget(*this));
    scheduleRedraw();
}

void PlotChart::applyStyle(const ChartStyle& style) {
    style_ = style;
    plot_->setBackground(QBrush(style.background));
    title_element_->setFont(style.title_font);
    title_element_->setTextColor(style.text);
    for (QCPAxis* axis : {plot_->xAxis, plot_->yAxis}) {
        axis->setBasePen(QPen(style.axis, 1));
        axis->setTickPen(QPen(style.axis, 1));
        axis->setTickLabelFont(style.font);
        axis->setTickLabelColor(style.muted);
        axis->setLabelFont(style.font);
        axis->setLabelColor(style.muted);
        axis->grid()->setPen(QPen(style.grid, 1));
        axis->grid()->setZeroLinePen(Qt::NoPen);
        axis->setLabelPadding(4);
        axis->setTickLabelPadding(4);
    }
    plot_->yAxis->setBasePen(Qt::NoPen);
    plot_->yAxis->setPadding(12); // its labels begin where the title does
    fitLabels(style);
    applySeriesStyle(style);
}

void PlotChart::paintChart(QCPPainter& painter, const QSizeF& size, const ChartStyle& style) {
    const double cursor = cursor_;
    cursor_ = std::numeric_limits<double>::quiet_NaN();
    exporting_ = true;
    prepareDraw();
    applyStyle(style);
    const QSize pixels = size.toSize();
    // The first pass lays out with this size's fonts, so that the labels' room is known when it is painted.
    plot_->toPixmap(pixels.width(), pixels.height(), 0.1);
    plot_->toPainter(&painter, pixels.width(), pixels.height());
    cursor_ = cursor;
    exporting_ = false;
    applyStyle(ChartStyle::forWidget(*this));
    plot_->replot(QCustomPlot::rpQueuedReplot);
}

QPointF PlotChart::pixelOf(double x, double y) const {
    return QPointF(plot_->xAxis->coordToPixel(x), plot_->yAxis->coordToPixel(y)) + QPointF(plot_->pos());
}

std::pair<QStringList, QStringList> PlotChart::tickLabels() const {
    const auto inside = [](const QCPAxis* axis) {
        const QVector<double> ticks = axis->tickVector();
        QStringList labels;
        for (qsizetype i = 0; i < ticks.size(); ++i)
            if (axis->range().contains(ticks[i])) labels << axis->tickVectorLabels().value(i);
        return labels;
    };
    return {inside(plot_->xAxis), inside(plot_->yAxis)};
}

QString PlotChart::shownYLabel() const {
    return plot_->yAxis->label();
}

double PlotChart::xLow() const {
    return plot_->xAxis->range().lower;
}

double PlotChart::xHigh() const {
    return plot_->xAxis->range().upper;
}

void PlotChart::setXRange(double low, double high) {
    if (low == xLow() && high == xHigh()) return;
    fitting_ = true;
    zoomed_ = true;
    plot_->xAxis->setRange(low, high);
    fitting_ = false;
    scheduleRedraw();
}

void PlotChart::resetView() {
    zoomed_ = false;
    fitRange();
    Q_EMIT xRangeChanged(std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN());
    scheduleRedraw();
}

QCPRange PlotChart::wholeX(const QRectF& data) const {
    const double half = data.right() > data.left() ? 0 : 0.5; // a single point stands in the middle
    return {data.left() - half, data.right() + half};
}

/// By the user's hand. No view ends up beside the data, and the whole of them is the view that follows them.
void PlotChart::xRangeMoved() {
    QRectF data;
    const QCPRange range = plot_->xAxis->range();
    const QCPRange whole = dataRange(data) ? wholeX(data) : range;
    if (range.size() > whole.size() * (1 + 1e-9)) {
        resetView();
        return;
    }
    const QCPRange kept = range.bounded(whole.lower, whole.upper);
    fitting_ = true;
    plot_->xAxis->setRange(kept);
    fitting_ = false;
    if (kept == whole) return; // dragged up or down: x has nowhere to go
    zoomed_ = true;
    Q_EMIT xRangeChanged(kept.lower, kept.upper);
}

void PlotChart::fitRange() {
    QRectF range;
    if (!dataRange(range)) range = QRectF(0, 0, 1, 1);
    fitting_ = true;
    plot_->xAxis->setRange(wholeX(range));
    // What differs by rounding alone is one value, and about a value of 0 there is no scale to go by.
    const double value = std::abs(range.center().y());
    const bool flat = range.height() < rounding * std::max(1.0, value);
    const double height = !flat ? range.height() : value > rounding ? value * 0.1 : 1;
    plot_->yAxis->setRange(range.top() - 0.06 * height,
                           (flat ? range.top() : range.bottom()) + 0.08 * height);
    fitting_ = false;
}

/// With an ellipsis where it is longer than its axis.
void PlotChart::fitYLabel() {
    const int room = plot_->axisRect()->height();
    if (y_label_.isEmpty() || room <= 0) return;
    const QString shown = QFontMetrics(style_.font).elidedText(y_label_, Qt::ElideRight, room);
    if (shown != plot_->yAxis->label()) plot_->yAxis->setLabel(shown);
}

QString PlotChart::cutLabelAt(const QPoint& at) const {
    return at.x() < plot_->axisRect()->left() && plot_->yAxis->label() != y_label_ ? y_label_ : QString();
}

void PlotChart::dataChanged() {
    if (!zoomed_) fitRange();
    scheduleRedraw();
}

/// As many figures as tell neighbouring ticks apart; room for six of them, so that the plot neither jumps
/// while its numbers change nor stands apart from the one over it.
void PlotChart::fitLabels(const ChartStyle& style) {
    for (QCPAxis* axis : {plot_->xAxis, plot_->yAxis}) {
        const QCPRange range = axis->range();
        const double most = std::max(std::abs(range.lower), std::abs(range.upper));
        const double figures = range.size() > 0 && most > 0 ? std::log10(most / range.size()) + 3 : 4;
        axis->setNumberPrecision(std::clamp(static_cast<int>(std::ceil(figures)), 4, 12));
    }
    const QFontMetrics metrics(style.font);
    const int label = plot_->yAxis->label().isEmpty() ? 0 : metrics.height() + 4;
    QMargins margins = plot_->axisRect()->minimumMargins();
    margins.setLeft(12 + label + metrics.horizontalAdvance(QStringLiteral("0.0000")) + 4);
    margins.setRight(rightMargin(style));
    plot_->axisRect()->setMinimumMargins(margins);
}

void PlotChart::scheduleRedraw() {
    if (!redraw_timer_.isActive()) redraw_timer_.start();
}

void PlotChart::redraw() {
    if (!isVisible()) return;               // shown again, the widget paints itself
    if (plot_->visibleRegion().isEmpty()) { // scrolled away: drawn when it comes into view
        overdue_ = true;
        return;
    }
    overdue_ = false;
    ++redraw_count_;
    prepareDraw();
    readout_ = std::isfinite(cursor_) ? readoutAt(cursor_) : QString();
    fitLabels(style_);
    plot_->replot(QCustomPlot::rpQueuedReplot);
    updateAccessibleText();
}

void PlotChart::showEvent(QShowEvent* event) {
    Chart::showEvent(event);
    scheduleRedraw();
}

void PlotChart::focusInEvent(QFocusEvent* event) {
    Chart::focusInEvent(event);
    scheduleRedraw();
}

void PlotChart::focusOutEvent(QFocusEvent* event) {
    Chart::focusOutEvent(event);
    scheduleRedraw();
}

void PlotChart::setCursor(double x) {
    moveCursor(x, false);
}

void PlotChart::moveCursor(double x, bool tell) {
    const double next = std::isfinite(x) ? nearestX(x) : x;
    if (next == cursor_ || (std::isnan(next) && std::isnan(cursor_))) return;
    cursor_ = next;
    scheduleRedraw();
    if (tell) Q_EMIT cursorMoved(cursor_);
}

double PlotChart::cursorAt(const QPointF& pixel) const {
    return plot_->xAxis->pixelToCoord(pixel.x());
}

/// One data point where they are far apart, else two hundredths of the view.
double PlotChart::cursorMovedBy(int places) const {
    const QCPRange range = plot_->xAxis->range();
    const double at = std::isfinite(cursor_) ? cursor_ : range.center();
    for (double step = range.size() / 1000; step <= range.size() / 4; step *= 2) {
        const double next = nearestX(at + places * std::max(step, range.size() / 50));
        if (next != at) return next;
    }
    return at;
}

void PlotChart::paintReadout(QCPPainter& painter, const ChartStyle& style) const {
    const QFontMetrics metrics = painter.fontMetrics();
    const QRect row = title_element_->rect();
    const int left = 28 + QFontMetrics(style.title_font).horizontalAdvance(title());
    const QRect room(left, row.top(), plot_->viewport().right() - 12 - left, row.height());
    painter.setPen(style.text);
    painter.drawText(room, Qt::AlignRight | Qt::AlignVCenter,
                     metrics.elidedText(readout(), Qt::ElideRight, room.width()));
}

bool PlotChart::eventFilter(QObject* watched, QEvent* event) {
    if (watched != plot_) return Chart::eventFilter(watched, event);
    switch (event->type()) {
    case QEvent::Paint:
        if (overdue_) scheduleRedraw();
        break;
    case QEvent::MouseMove: {
        const auto* mouse = static_cast<QMouseEvent*>(event);
        const QPointF at = mouse->position();
        const bool inside = plot_->axisRect()->rect().contains(at.toPoint());
        moveCursor(inside ? cursorAt(at) : std::numeric_limits<double>::quiet_NaN(), true);
        break;
    }
    case QEvent::Leave:
        moveCursor(std::numeric_limits<double>::quiet_NaN(), true);
        break;
    case QEvent::ContextMenu: // the plot lets nothing of the mouse through to its parent
        contextMenuEvent(static_cast<QContextMenuEvent*>(event));
        return true;
    case QEvent::Wheel: {
        auto* wheel = static_cast<QWheelEvent*>(event);
        const bool vertical = wheel->modifiers() & Qt::ShiftModifier;
        if (!vertical && !zoomed_ && wheel->angleDelta().y() < 0) { // all is shown: the wheel is the page's
            for (QWidget* around = parentWidget(); around; around = around->parentWidget())
                if (auto* area = qobject_cast<QAbstractScrollArea*>(around)) {
                    QCoreApplication::sendEvent(area->viewport(), event);
                    break;
                }
            return true;
        }
        plot_->axisRect()->setRangeZoom(vertical ? Qt::Vertical : Qt::Horizontal);
        break;
    }
    case QEvent::MouseButtonPress:
        press_ = static_cast<QMouseEvent*>(event)->pos();
        setFocus(Qt::MouseFocusReason);
        break;
    case QEvent::MouseButtonRelease: {
        const auto* mouse = static_cast<QMouseEvent*>(event);
        if (mouse->button() == Qt::LeftButton && (mouse->pos() - press_).manhattanLength() < 4
            && plot_->axisRect()->rect().contains(mouse->pos()))
            clicked(plot_->xAxis->pixelToCoord(mouse->pos().x()),
                    plot_->yAxis->pixelToCoord(mouse->pos().y()));
        break;
    }
    case QEvent::MouseButtonDblClick:
        resetView();
        return true;
    default:
        break;
    }
    return Chart::eventFilter(watched, event);
}

void PlotChart::keyPressEvent(QKeyEvent* event) {
    const double at = std::isfinite(cursorX()) ? cursorX() : plot_->xAxis->range().center();
    switch (event->key()) {
    case Qt::Key_Left:
    case Qt::Key_Right:
        moveCursor(cursorMovedBy(event->key() == Qt::Key_Left ? -1 : 1), true);
        return;
    case Qt::Key_Plus:
    case Qt::Key_Equal:
        plot_->xAxis->scaleRange(0.8, at);
        break;
    case Qt::Key_Minus:
        plot_->xAxis->scaleRange(1.25, at);
        break;
    case Qt::Key_0:
        resetView();
        break;
    default:
        Chart::keyPressEvent(event);
        return;
    }
    scheduleRedraw();
}

} // namespace tempera
