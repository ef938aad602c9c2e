#include "ui/charts/line_chart.h"

#include "ui/charts/label_stack.h"
#include "ui/charts/step_ticker.h"
#include "ui/theme/icons.h"
#include "ui/theme/text.h"

#include <QFontMetricsF>
#include <QHelpEvent>
#include <QToolTip>
#include <qcustomplot.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace tempera {

namespace {

QVector<QCPGraphData> pointsOf(const std::vector<double>& x, const std::vector<double>& y, std::size_t from) {
    QVector<QCPGraphData> points(static_cast<qsizetype>(x.size() - from));
    for (std::size_t i = from; i < x.size(); ++i)
        points[static_cast<qsizetype>(i - from)] = QCPGraphData(x[i], y[i]);
    return points;
}

/// True where `now` begins with all of `before`. Looks at its last point alone: series only ever grow or are
/// read afresh.
bool continues(const Series& before, const Series& now) {
    if (before.x.empty() || now.x.size() < before.x.size()) return false;
    const std::size_t last = before.x.size() - 1;
    return now.x.front() == before.x.front() && now.x[last] == before.x[last] && now.y[last] == before.y[last]
           && now.smooth[last] == before.smooth[last];
}

/// The value of `series` at the step x; NaN where it has none. Series of one run mostly have the same steps,
/// so the place `hint` is looked at first.
double valueAt(const Series& series, double x, std::size_t hint) {
    if (hint < series.x.size() && series.x[hint] == x) return series.smooth[hint];
    const auto found = std::lower_bound(series.x.begin(), series.x.end(), x);
    if (found == series.x.end() || *found != x) return NAN;
    return series.smooth[static_cast<std::size_t>(found - series.x.begin())];
}

/// Lower and upper edge of the band at the i-th point of a line; NaN where there is none.
std::pair<double, double> bandAt(const LineChart::Line& line, std::size_t i) {
    const double x = line.data->x[i], y = line.data->smooth[i];
    if (line.deviation) {
        const double half = valueAt(*line.deviation, x, i);
        return {y - half, y + half};
    }
    if (line.low && line.high) return {valueAt(*line.low, x, i), valueAt(*line.high, x, i)};
    return {NAN, NAN};
}

std::size_t nearestIndex(const std::vector<double>& x, double at) {
    const auto right = std::lower_bound(x.begin(), x.end(), at);
    if (right == x.begin()) return 0;
    if (right == x.end() || at - *(right - 1) <= *right - at)
        return static_cast<std::size_t>(right - x.begin()) - 1;
    return static_cast<std::size_t>(right - x.begin());
}

} // namespace

LineChart::LineChart(const QString& title, const QString& x_label, const QString& y_label, QWidget* parent)
    : PlotChart(title, x_label, y_label, parent) {
    plot_->xAxis->setTicker(QSharedPointer<StepTicker>::create());
    plot_->xAxis->ticker()->setTickCount(4);
    restyle();
}

void LineChart::setLines(std::vector<Line> lines) {
    const bool restyled = lines.size() != lines_.size();
    while (raw_.size() < lines.size()) {
        bands_.push_back({plot_->addGraph(), plot_->addGraph()});
        bands_.back().high->setChannelFillGraph(bands_.back().low);
        raw_.push_back(plot_->addGraph());
        smooth_.push_back(plot_->addGraph());
        drawn_.emplace_back();
    }
    lines_ = std::move(lines);
    if (restyled) restyle();
    dataChanged();
}

void LineChart::prepareDraw() {
    for (std::size_t i = 0; i < raw_.size(); ++i) {
        drawBand(i);
        const SeriesPointer now = i < lines_.size() ? lines_[i].data : nullptr;
        if (now == drawn_[i]) continue;
        styleDots(i);
        // A line that only grew gets its new points; anything else is set afresh.
        const std::size_t known = now && drawn_[i] && continues(*drawn_[i], *now) ? drawn_[i]->x.size() : 0;
        for (const auto& [graph, values] : {std::pair{raw_[i], now ? &now->y : nullptr},
                                            std::pair{smooth_[i], now ? &now->smooth : nullptr}}) {
            if (known == 0) graph->data()->clear();
            if (values) graph->data()->add(pointsOf(now->x, *values, known), true);
        }
        drawn_[i] = now;
    }
}

void LineChart::drawBand(std::size_t line) {
    Band& band = bands_[line];
    const bool shown = line < lines_.size();
    const SeriesPointer now[4] = {shown ? lines_[line].data : nullptr,
                                  shown ? lines_[line].deviation : nullptr,
                                  shown ? lines_[line].low : nullptr, shown ? lines_[line].high : nullptr};
    if (std::equal(now, now + 4, band.drawn)) return;
    std::copy(now, now + 4, band.drawn);
    QVector<QCPGraphData> low, high;
    for (std::size_t i = 0; now[0] && i < now[0]->x.size(); ++i) {
        const double x = now[0]->x[i];
        const auto [below, above] = bandAt(lines_[line], i);
        if (!std::isfinite(below) || !std::isfinite(above)) continue;
        low.push_back({x, below});
        high.push_back({x, above});
    }
    band.low->data()->set(low, true);
    band.high->data()->set(high, true);
}

void LineChart::setEmptyText(const QString& text) {
    if (text == empty_text_) return;
    empty_text_ = text;
    scheduleRedraw();
}

void LineChart::setEvents(std::vector<ChartEvent> events) {
    events_ = std::move(events);
    scheduleRedraw();
}

void LineChart::applySeriesStyle(const ChartStyle& style) {
    for (std::size_t i = 0; i < raw_.size(); ++i) {
        if (i >= lines_.size()) continue;
        QColor color = style.theme->seriesColor(lines_[i].color);
        smooth_[i]->setPen(QPen(color, 1.6));
        styleDots(i);
        color.setAlphaF(0.25f);
        raw_[i]->setPen(QPen(color, 1));
        raw_[i]->setVisible(!lines_[i].markers);
        bands_[i].low->setPen(Qt::NoPen);
        bands_[i].high->setPen(Qt::NoPen);
        color.setAlphaF(0.15f);
        bands_[i].high->setBrush(color);
    }
}

/// A line of one point would not be seen.
void LineChart::styleDots(std::size_t line) {
    const bool shown = line < lines_.size() && lines_[line].data;
    const bool dots = shown && (lines_[line].markers || lines_[line].data->x.size() == 1);
    const QColor color = smooth_[line]->pen().color();
    smooth_[line]->setScatterStyle(dots ? QCPScatterStyle(QCPScatterStyle::ssDisc, color, color, 5)
                                        : QCPScatterStyle(QCPScatterStyle::ssNone));
}

bool LineChart::hasPoints() const {
    return std::any_of(lines_.begin(), lines_.end(),
                       [](const Line& line) { return line.data && !line.data->x.empty(); });
}

bool LineChart::dataRange(QRectF& range) const {
    if (!hasPoints()) return false;
    double left = INFINITY, right = -INFINITY, low = INFINITY, high = -INFINITY;
    for (const Line& line : lines_) {
        if (!line.data || line.data->x.empty()) continue;
        left = std::min(left, line.data->x.front());
        right = std::max(right, line.data->x.back());
        low = std::min(low, line.data->low);
        high = std::max(high, line.data->high);
        if (line.low && line.high && !line.low->x.empty()) low = std::min(low, line.low->low);
        if (line.low && line.high && !line.high->x.empty()) high = std::max(high, line.high->high);
        for (std::size_t i = 0; line.deviation && i < line.data->x.size(); ++i) {
            const auto [below, above] = bandAt(line, i);
            if (!std::isfinite(below) || !std::isfinite(above)) continue;
            low = std::min(low, below);
            high = std::max(high, above);
        }
    }
    if (fixed_low_) low = std::min(low, *fixed_low_);
    const bool dots =
        std::any_of(lines_.begin(), lines_.end(), [](const Line& line) { return line.markers; });
    if (dots) right += 0.01 * (right - left); // room for half of the last one
    range = QRectF(QPointF(left, low), QPointF(right, high));
    return true;
}

double LineChart::nearestX(double x) const {
    double best = x;
    double distance = INFINITY;
    for (const Line& line : lines_) {
        if (!line.data || line.data->x.empty()) continue;
        const double candidate = line.data->x[nearestIndex(line.data->x, x)];
        if (std::abs(candidate - x) < distance) {
            distance = std::abs(candidate - x);
            best = candidate;
        }
    }
    return best;
}

QString LineChart::readoutAt(double x) const {
    QStringList parts{QStringLiteral("%1 %2").arg(plot_->xAxis->label()).arg(qlonglong(std::llround(x)))};
    for (const Line& line : lines_) {
        if (!line.data || line.data->x.empty()) continue;
        const std::size_t i = nearestIndex(line.data->x, x);
        if (line.data->x[i] > x && i == 0 && line.markers) continue; // not evaluated yet
        const double here = line.data->y[i];
        QString value = numberText(std::abs(here) < rounding ? 0 : here);
        if (line.deviation)
            if (const double half = valueAt(*line.deviation, line.data->x[i], i); std::isfinite(half))
                value += QStringLiteral(" ± ") + numberText(half);
        if (line.markers && std::llround(line.data->x[i]) != std::llround(x)) // the nearest one
            value += tr(" at %1").arg(std::llround(line.data->x[i]));
        parts << (line.name.isEmpty() ? value : line.name + u' ' + value);
    }
    return parts.join(QStringLiteral("   "));
}

QString LineChart::endLabel(const Line& line) const {
    const double last = line.data->smooth.back();
    const QString value = numberText(std::abs(last) < rounding ? 0 : last);
    return line.name.isEmpty() ? value : line.name + u' ' + value;
}

int LineChart::rightMargin(const ChartStyle& style) const {
    const QFontMetricsF metrics(style.font);
    double width = 0;
    for (const Line& line : lines_)
        if (line.data && !line.data->x.empty())
            width = std::max(width, metrics.horizontalAdvance(endLabel(line)));
    // Rounded up to the grid, so that the axis does not jump while digits change.
    return static_cast<int>(std::ceil((width + 20) / 12) * 12);
}

void LineChart::paintOverlay(QCPPainter& painter, const ChartStyle& style) {
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setFont(style.font);
    if (!hasPoints()) {
        painter.setPen(style.muted);
        painter.drawText(QRectF(plot_->axisRect()->rect()), Qt::AlignCenter | Qt::TextWordWrap, empty_text_);
    } else {
        paintFlags(painter, style);
        paintEndLabels(painter, style);
        paintCrosshair(painter, style);
    }
    painter.restore();
}

void LineChart::paintEndLabels(QCPPainter& painter, const ChartStyle& style) const {
    LabelStack labels(plot_->axisRect()->rect(), painter.fontMetrics().height());
    for (const Line& line : lines_) {
        if (!line.data || line.data->x.empty() || !std::isfinite(line.data->smooth.back())) continue;
        labels.add(plot_->yAxis->coordToPixel(line.data->smooth.back()), endLabel(line),
                   style.theme->seriesColor(line.color));
    }
    labels.paint(painter);
}

void LineChart::paintFlags(QCPPainter& painter, const ChartStyle& style) const {
    const QRect area = plot_->axisRect()->rect();
    for (const ChartEvent& flag : events_) {
        const double x = plot_->xAxis->coordToPixel(flag.x);
        if (x < area.left() - 1 || x > area.right() + 1) continue;
        const bool bad = flag.kind == QLatin1String("failed") || flag.kind == QLatin1String("warning");
        const bool health = flag.kind == QLatin1String("health");
        const QColor color = bad ? style.theme->failed : health ? style.theme->paused : style.axis;
        painter.setPen(QPen(color, 1, Qt::DotLine));
        if (bad || health) painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()));
        painter.setPen(QPen(color, 1));
        painter.setBrush(color);
        const double base = area.bottom();
        if (health) {
            const QPointF middle(x, base - 7);
            painter.drawPolygon(QPolygonF({middle + QPointF(0, -6), middle + QPointF(5, 0),
                                           middle + QPointF(0, 6), middle + QPointF(-5, 0)}));
            continue;
        }
        painter.drawLine(QPointF(x, base), QPointF(x, base - 10));
        painter.drawPolygon(
            QPolygonF({QPointF(x, base - 10), QPointF(x + 6, base - 7.5), QPointF(x, base - 5)}));
    }
}

void LineChart::paintCrosshair(QCPPainter& painter, const ChartStyle& style) const {
    if (!std::isfinite(cursor())) return;
    const QRect area = plot_->axisRect()->rect();
    const double x = plot_->xAxis->coordToPixel(cursor());
    if (x < area.left() || x > area.right()) return;
    painter.setPen(QPen(style.axis, 1));
    painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()));
    for (const Line& line : lines_) {
        if (!line.data || line.data->x.empty()) continue;
        const std::size_t i = nearestIndex(line.data->x, cursor());
        const QPointF at(plot_->xAxis->coordToPixel(line.data->x[i]),
                         plot_->yAxis->coordToPixel(line.data->y[i]));
        painter.setPen(QPen(style.background, 1.5));
        painter.setBrush(style.theme->seriesColor(line.color));
        if (area.contains(at.toPoint())) painter.drawEllipse(at, 4, 4);
    }
    paintReadout(painter, style);
}

bool LineChart::event(QEvent* event) {
    if (event->type() != QEvent::ToolTip) return PlotChart::event(event);
    const auto* help = static_cast<QHelpEvent*>(event);
    QStringList texts;
    for (const ChartEvent& flag : events_)
        if (std::abs(pixelOf(flag.x, 0).x() - help->pos().x()) < 6) texts << flag.text;
    if (const QString label = cutLabelAt(help->pos()); !label.isEmpty()) texts << label;
    if (texts.isEmpty())
        QToolTip::hideText();
    else
        QToolTip::showText(help->globalPos(), tipText(texts.join(u'\n')), this);
    return true;
}

QString LineChart::csv() const {
    std::map<double, std::vector<QString>> rows;
    const std::size_t columns = lines_.size();
    for (std::size_t c = 0; c < columns; ++c) {
        if (!lines_[c].data) continue;
        for (std::size_t i = 0; i < lines_[c].data->x.size(); ++i) {
            auto& row = rows[lines_[c].data->x[i]];
            row.resize(columns);
            row[c] = QString::number(lines_[c].data->y[i], 'g', 17);
        }
    }
    QString text = QStringLiteral("step");
    for (const Line& line : lines_)
        text += u',' + (line.name.isEmpty() ? title() : line.name);
    text += u'\n';
    for (const auto& [x, row] : rows) {
        text += QString::number(x, 'g', 17);
        for (const QString& value : row)
            text += u',' + value;
        text += u'\n';
    }
    return text;
}

QString LineChart::summary() const {
    if (!hasPoints()) return tr("%1: no values yet.").arg(title());
    QStringList parts;
    for (const Line& line : lines_) {
        if (!line.data || line.data->x.empty()) continue;
        parts << tr("%1: %2 points up to step %3, last %4, lowest %5, highest %6")
                     .arg(line.name.isEmpty() ? title() : line.name)
                     .arg(line.data->x.size())
                     .arg(line.data->x.back())
                     .arg(numberText(line.data->y.back()), numberText(line.data->low),
                          numberText(line.data->high));
    }
    return parts.join(QStringLiteral("; ")) + u'.';
}

} // namespace tempera
