#include "ui/charts/path_chart.h"

#include "ui/theme/color_maps.h"
#include "ui/theme/text.h"

#include <QFontMetrics>
#include <qcustomplot.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace tempera {

namespace {

constexpr std::size_t most_dots = 1500; // of more every k-th is painted; the path has them all

QString stepText(double step) {
    return QString::number(qlonglong(std::llround(step)));
}

} // namespace

PathChart::PathChart(const QString& title, const QString& x_label, const QString& y_label, QWidget* parent)
    : PlotChart(title, x_label, y_label, parent), path_(new QCPCurve(plot_->xAxis, plot_->yAxis)) {
    plot_->yAxis->grid()->setVisible(true);
    plot_->xAxis->grid()->setVisible(true);
    restyle();
}

void PathChart::setXLabel(const QString& label) {
    if (plot_->xAxis->label() == label) return;
    plot_->xAxis->setLabel(label);
    scheduleRedraw();
}

void PathChart::setData(const SeriesPointer& x, const SeriesPointer& y) {
    if (x == x_ && y == y_) return;
    x_ = x;
    y_ = y;
    points_.clear();
    for (std::size_t i = 0, j = 0; x && y && i < x->x.size() && j < y->x.size();) {
        if (x->x[i] < y->x[j])
            ++i;
        else if (y->x[j] < x->x[i])
            ++j;
        else {
            if (std::isfinite(x->y[i]) && std::isfinite(y->y[j]))
                points_.push_back({x->x[i], x->y[i], y->y[j], x->smooth[i], y->smooth[j]});
            ++i;
            ++j;
        }
    }
    stale_ = true;
    dataChanged();
}

void PathChart::prepareDraw() {
    if (!std::exchange(stale_, false)) return;
    QVector<QCPCurveData> path;
    path.reserve(static_cast<qsizetype>(points_.size()));
    for (const Point& point : points_)
        path.push_back(QCPCurveData(point.step, point.smooth_x, point.smooth_y));
    path_->data()->set(path, true);
}

void PathChart::applySeriesStyle(const ChartStyle& style) {
    path_->setPen(QPen(style.axis, 1.2));
    plot_->xAxis->grid()->setPen(QPen(style.grid, 1));
}

bool PathChart::dataRange(QRectF& range) const {
    if (points_.empty()) return false;
    double left = INFINITY, right = -INFINITY, low = INFINITY, high = -INFINITY;
    for (const Point& point : points_) {
        left = std::min(left, point.x);
        right = std::max(right, point.x);
        low = std::min(low, point.y);
        high = std::max(high, point.y);
    }
    const double margin = 0.03 * (right - left);
    range = QRectF(QPointF(left - margin, low), QPointF(right + margin, high));
    return true;
}

std::size_t PathChart::indexOf(double step) const {
    const auto right = std::lower_bound(points_.begin(), points_.end(), step,
                                        [](const Point& point, double at) { return point.step < at; });
    if (right == points_.begin()) return 0;
    if (right == points_.end() || step - (right - 1)->step <= right->step - step)
        return static_cast<std::size_t>(right - points_.begin()) - 1;
    return static_cast<std::size_t>(right - points_.begin());
}

double PathChart::nearestX(double step) const {
    return points_.empty() ? step : points_[indexOf(step)].step;
}

/// The step of the point that is nearest on the screen.
double PathChart::cursorAt(const QPointF& pixel) const {
    double best = std::numeric_limits<double>::quiet_NaN(), distance = INFINITY;
    for (const Point& point : points_) {
        const QPointF at(plot_->xAxis->coordToPixel(point.x), plot_->yAxis->coordToPixel(point.y));
        const QPointF way = at - pixel;
        const double length = QPointF::dotProduct(way, way);
        if (length >= distance) continue;
        distance = length;
        best = point.step;
    }
    return best;
}

double PathChart::cursorMovedBy(int points) const {
    if (points_.empty()) return cursor();
    if (!std::isfinite(cursor())) return points_.back().step;
    const auto last = static_cast<std::ptrdiff_t>(points_.size()) - 1;
    const auto next = static_cast<std::ptrdiff_t>(indexOf(cursor())) + points;
    return points_[static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(next, 0, last))].step;
}

double PathChart::cursorX() const {
    return points_.empty() || !std::isfinite(cursor()) ? std::numeric_limits<double>::quiet_NaN()
                                                       : points_[indexOf(cursor())].x;
}

QString PathChart::readoutAt(double step) const {
    if (points_.empty()) return {};
    const Point& point = points_[indexOf(step)];
    return tr("step %1   KL %2   reward %3")
        .arg(stepText(point.step), numberText(point.x), numberText(point.y));
}

int PathChart::rightMargin(const ChartStyle& style) const {
    const QString widest = points_.empty() ? QString() : tr("step %1").arg(stepText(points_.back().step));
    // Rounded up to the grid, so that the axis does not jump while digits change.
    return (QFontMetrics(style.font).horizontalAdvance(widest) + 32 + 11) / 12 * 12;
}

QColor PathChart::colorOf(double step) const {
    const double first = points_.front().step, last = points_.back().step;
    return mapColor(ColorMap::viridis, last > first ? (step - first) / (last - first) : 1);
}

void PathChart::paintOverlay(QCPPainter& painter, const ChartStyle& style) {
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setFont(style.font);
    if (points_.empty()) {
        painter.setPen(style.muted);
        painter.drawText(QRectF(plot_->axisRect()->rect()), Qt::AlignCenter | Qt::TextWordWrap,
                         tr("A point for every step that measures both."));
    } else {
        paintPoints(painter, style);
        paintScale(painter, style);
        paintCursor(painter, style);
    }
    painter.restore();
}

void PathChart::paintPoints(QCPPainter& painter, const ChartStyle& style) const {
    const QRectF area = plot_->axisRect()->rect();
    QColor edge = style.axis;
    edge.setAlphaF(0.5f);
    painter.save();
    painter.setClipRect(area);
    painter.setPen(QPen(edge, 0.6));
    const std::size_t stride = (points_.size() + most_dots - 1) / most_dots;
    for (std::size_t i = (points_.size() - 1) % stride; i < points_.size(); i += stride) {
        const Point& point = points_[i];
        const QPointF at(plot_->xAxis->coordToPixel(point.x), plot_->yAxis->coordToPixel(point.y));
        if (!area.contains(at)) continue;
        painter.setBrush(colorOf(point.step));
        painter.drawEllipse(at, 3, 3);
    }
    painter.restore();
}

/// Which colour is which step.
void PathChart::paintScale(QCPPainter& painter, const ChartStyle& style) const {
    const QRectF area = plot_->axisRect()->rect();
    const QFontMetricsF metrics(style.font);
    const QRectF bar(area.right() + 12, area.top(), 8, area.height());
    constexpr int strips = 48;
    for (int i = 0; i < strips; ++i)
        painter.fillRect(QRectF(bar.left(), bar.bottom() - (i + 1) * bar.height() / strips, bar.width(),
                                bar.height() / strips + 0.5),
                         mapColor(ColorMap::viridis, (i + 0.5) / strips));
    painter.setPen(style.muted);
    const QRectF label(bar.right() + 4, 0, 200, metrics.height());
    painter.drawText(label.translated(0, bar.top()), Qt::AlignLeft | Qt::AlignTop,
                     tr("step %1").arg(stepText(points_.back().step)));
    painter.drawText(label.translated(0, bar.bottom() - metrics.height()), Qt::AlignLeft | Qt::AlignBottom,
                     stepText(points_.front().step));
}

void PathChart::paintCursor(QCPPainter& painter, const ChartStyle& style) const {
    if (!std::isfinite(cursor())) return;
    const QRectF area = plot_->axisRect()->rect();
    const Point& point = points_[indexOf(cursor())];
    const QPointF at(plot_->xAxis->coordToPixel(point.x), plot_->yAxis->coordToPixel(point.y));
    if (area.contains(at)) {
        painter.setPen(QPen(style.axis, 1));
        painter.drawLine(QPointF(at.x(), area.top()), QPointF(at.x(), area.bottom()));
        painter.drawLine(QPointF(area.left(), at.y()), QPointF(area.right(), at.y()));
        painter.setPen(QPen(style.text, 1.6));
        painter.setBrush(colorOf(point.step));
        painter.drawEllipse(at, 5, 5);
    }
    paintReadout(painter, style);
}

QString PathChart::csv() const {
    QString text = QStringLiteral("step,kl,reward\n");
    for (const Point& point : points_)
        text += QStringLiteral("%1,%2,%3\n")
                    .arg(stepText(point.step), QString::number(point.x, 'g', 17),
                         QString::number(point.y, 'g', 17));
    return text;
}

QString PathChart::summary() const {
    if (points_.empty()) return tr("%1: no values yet.").arg(title());
    const auto best = std::max_element(points_.begin(), points_.end(), [](const Point& a, const Point& b) {
        return a.smooth_y < b.smooth_y;
    });
    const Point& first = points_.front();
    const Point& last = points_.back();
    return tr("%1: from reward %2 at KL %3 in step %4 to reward %5 at KL %6 in step %7; the smoothed reward "
              "is highest at KL %8.")
        .arg(title(), numberText(first.y), numberText(first.x), stepText(first.step), numberText(last.y),
             numberText(last.x), stepText(last.step), numberText(best->smooth_x));
}

QPointF PathChart::pixelOfStep(double step) const {
    if (points_.empty()) return {NAN, NAN};
    const Point& point = points_[indexOf(step)];
    return pixelOf(point.x, point.y);
}

} // namespace tempera
