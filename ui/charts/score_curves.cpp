#include "ui/charts/score_curves.h"

#include "ui/charts/label_stack.h"
#include "ui/theme/text.h"

#include <QFontMetrics>
#include <qcustomplot.h>

#include <algorithm>
#include <cmath>

namespace tempera {

ScoreCurves::ScoreCurves(QWidget* parent)
    : PlotChart(tr("Score against temperature"), tr("temperature"), tr("mean score"), parent) {
    plot_->xAxis->ticker()->setTickCount(6);
    restyle();
}

std::vector<int> ScoreCurves::strongCounts() const {
    std::vector<int> strong;
    const auto& counts = table_.counts();
    for (const int n : counts)
        if (n == 1 || n == 3 || n == 5 || n == 10 || n == counts.back()) strong.push_back(n);
    return strong;
}

void ScoreCurves::setTable(const SweepTable& table) {
    const bool same_lines = table.counts() == table_.counts();
    table_ = table;
    if (!same_lines || lines_.empty()) rebuild();
    for (const Line& line : lines_) {
        QVector<double> x, mean, low, high;
        const int row = table_.rowOf(line.n);
        for (int column = 0; column < int(table_.temperatures().size()); ++column) {
            const SweepCell* cell = table_.at(column, row);
            if (!cell || cell->problems_done <= 0) continue;
            x << cell->temperature;
            mean << cell->mean;
            low << cell->low;
            high << cell->high;
        }
        line.mean->setData(x, mean, true);
        line.low->setData(x, low, true);
        line.high->setData(x, high, true);
    }
    dataChanged();
}

void ScoreCurves::setShowAll(bool all) {
    all_ = all;
    restyle();
    dataChanged();
}

void ScoreCurves::setReported(std::vector<ReportedScore> reported) {
    reported_ = std::move(reported);
    dataChanged();
}

void ScoreCurves::rebuild() {
    plot_->clearGraphs();
    lines_.clear();
    const std::vector<int> strong = strongCounts();
    // Thin lines first, so that the strong ones lie over them.
    for (const bool pass : {false, true})
        for (const int n : table_.counts()) {
            const bool is_strong = std::find(strong.begin(), strong.end(), n) != strong.end();
            if (is_strong != pass) continue;
            QCPGraph* low = plot_->addGraph();
            QCPGraph* high = plot_->addGraph();
            high->setChannelFillGraph(low);
            lines_.push_back({n, is_strong, plot_->addGraph(), low, high});
        }
    restyle();
}

QColor ScoreCurves::colorOf(const ChartStyle& style, int n) const {
    const std::vector<int> strong = strongCounts();
    const auto found = std::find(strong.begin(), strong.end(), n);
    // N = 1 in the neutral eighth colour: it is the base line the others are measured against.
    if (found == strong.end()) return style.axis;
    return n == 1
               ? style.muted
               : style.theme->seriesColor(static_cast<int>(found - strong.begin()) - (strong.front() == 1));
}

void ScoreCurves::applySeriesStyle(const ChartStyle& style) {
    for (const Line& line : lines_) {
        QColor color = colorOf(style, line.n);
        line.mean->setVisible(line.strong || all_);
        line.low->setVisible(line.strong);
        line.high->setVisible(line.strong);
        if (!line.strong) color.setAlphaF(0.6f);
        line.mean->setPen(QPen(color, line.strong ? 1.8 : 1));
        line.mean->setScatterStyle(line.strong ? QCPScatterStyle(QCPScatterStyle::ssDisc, color, color, 6)
                                               : QCPScatterStyle(QCPScatterStyle::ssNone));
        line.low->setPen(Qt::NoPen);
        line.high->setPen(Qt::NoPen);
        color.setAlphaF(0.15f);
        line.high->setBrush(color);
    }
}

bool ScoreCurves::dataRange(QRectF& range) const {
    double left = INFINITY, right = -INFINITY, low = INFINITY, high = -INFINITY;
    for (const double t : table_.temperatures()) {
        left = std::min(left, t);
        right = std::max(right, t);
    }
    for (const Line& line : lines_) {
        if (!line.strong && !all_) continue;
        for (auto at = line.low->data()->constBegin(); at != line.low->data()->constEnd(); ++at)
            low = std::min(low, at->value);
        for (auto at = line.high->data()->constBegin(); at != line.high->data()->constEnd(); ++at)
            high = std::max(high, at->value);
    }
    if (left > right || low > high) return false;
    for (const ReportedScore& value : reported_) {
        low = std::min(low, value.score);
        high = std::max(high, value.score);
    }
    const double margin = 0.02 * (right - left);
    range = QRectF(QPointF(left - margin, low), QPointF(right + margin, high));
    return true;
}

double ScoreCurves::nearestX(double x) const {
    const auto& all = table_.temperatures();
    if (all.empty()) return x;
    return *std::min_element(all.begin(), all.end(),
                             [x](double a, double b) { return std::abs(a - x) < std::abs(b - x); });
}

QString ScoreCurves::labelOf(int n) const {
    return QStringLiteral("N = %1").arg(n);
}

QString ScoreCurves::readoutAt(double x) const {
    QStringList parts{QStringLiteral("T %1").arg(temperatureText(x))};
    for (const int n : strongCounts())
        if (const SweepCell* cell = table_.find(x, n); cell && cell->problems_done > 0)
            parts << QStringLiteral("N%1 %2").arg(n).arg(scoreText(cell->mean));
    return parts.join(QStringLiteral("   "));
}

int ScoreCurves::rightMargin(const ChartStyle& style) const {
    return QFontMetrics(style.font).horizontalAdvance(labelOf(10)) + 20;
}

void ScoreCurves::paintOverlay(QCPPainter& painter, const ChartStyle& style) {
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setFont(style.font);
    const SweepCell* best = table_.best();
    if (!best) {
        painter.setPen(style.muted);
        painter.drawText(QRectF(plot_->axisRect()->rect()), Qt::AlignCenter | Qt::TextWordWrap,
                         tr("The lines appear as the first problems are scored."));
        painter.restore();
        return;
    }
    paintReported(painter, style);
    LabelStack labels(plot_->axisRect()->rect(), painter.fontMetrics().height());
    for (const Line& line : lines_) {
        if ((!line.strong && !all_) || line.mean->data()->isEmpty()) continue;
        const double last = (line.mean->data()->constEnd() - 1)->value;
        labels.add(plot_->yAxis->coordToPixel(last), labelOf(line.n),
                   line.strong ? colorOf(style, line.n) : style.muted);
    }
    labels.paint(painter);
    const QPointF at(plot_->xAxis->coordToPixel(best->temperature), plot_->yAxis->coordToPixel(best->mean));
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(style.text, 1.6));
    painter.drawEllipse(at, 7, 7);
    const QString text =
        QStringLiteral("%1 at T %2").arg(scoreText(best->mean)).arg(temperatureText(best->temperature));
    painter.setPen(style.text);
    const QRect area = plot_->axisRect()->rect();
    const int width = painter.fontMetrics().horizontalAdvance(text);
    const double x = std::clamp(at.x() - width / 2.0, double(area.left()), double(area.right() - width));
    // Below the ring: above it there are bands and the values reported by others.
    const QRectF plate(x - 3, at.y() + 11, width + 6, painter.fontMetrics().height());
    painter.fillRect(plate, style.veil());
    painter.drawText(plate, Qt::AlignCenter, text);
    paintCursor(painter, style);
    painter.restore();
}

void ScoreCurves::paintReported(QCPPainter& painter, const ChartStyle& style) const {
    const QRect area = plot_->axisRect()->rect();
    const QFontMetrics metrics = painter.fontMetrics();
    for (const ReportedScore& value : reported_) {
        const double y = plot_->yAxis->coordToPixel(value.score);
        if (y < area.top() || y > area.bottom()) continue;
        const QColor color = colorOf(style, value.n);
        painter.setBrush(style.background);
        if (value.temperature) {
            const QPointF at(plot_->xAxis->coordToPixel(*value.temperature), y);
            painter.setPen(QPen(color, 1.8));
            painter.drawPolygon(QPolygonF(
                {at + QPointF(0, -6), at + QPointF(6, 0), at + QPointF(0, 6), at + QPointF(-6, 0)}));
            painter.setPen(style.muted);
            painter.drawText(at + QPointF(10, 4 + metrics.height() * 0.6),
                             QStringLiteral("%1 %2").arg(value.label, scoreText(value.score)));
        } else {
            painter.setPen(QPen(color, 1, Qt::DashLine));
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y));
            painter.setPen(style.muted);
            painter.drawText(QPointF(area.left() + 4, y + metrics.height()),
                             QStringLiteral("%1 %2").arg(value.label, scoreText(value.score)));
        }
    }
}

void ScoreCurves::paintCursor(QCPPainter& painter, const ChartStyle& style) const {
    if (!std::isfinite(cursor())) return;
    const QRect area = plot_->axisRect()->rect();
    const double x = plot_->xAxis->coordToPixel(cursor());
    if (x < area.left() || x > area.right()) return;
    painter.setPen(QPen(style.axis, 1));
    painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()));
    paintReadout(painter, style);
}

void ScoreCurves::clicked(double x, double y) {
    const double temperature = nearestX(x);
    const SweepCell* nearest = nullptr;
    for (const Line& line : lines_) {
        const SweepCell* cell = line.strong || all_ ? table_.find(temperature, line.n) : nullptr;
        if (!cell || cell->problems_done <= 0) continue;
        if (!nearest || std::abs(cell->mean - y) < std::abs(nearest->mean - y)) nearest = cell;
    }
    if (!nearest) return;
    const QPointF at = pixelOf(nearest->temperature, nearest->mean);
    if ((at - pixelOf(x, y)).manhattanLength() < 16) Q_EMIT cellClicked(nearest->temperature, nearest->n);
}

QString ScoreCurves::csv() const {
    QString text = QStringLiteral("temperature,n,mean,low,high,problems_done,problems_total\n");
    for (const double temperature : table_.temperatures())
        for (const int n : table_.counts())
            if (const SweepCell* cell = table_.find(temperature, n))
                text += QStringLiteral("%1,%2,%3,%4,%5,%6,%7\n")
                            .arg(cell->temperature, 0, 'g', 10)
                            .arg(cell->n)
                            .arg(cell->mean, 0, 'g', 10)
                            .arg(cell->low, 0, 'g', 10)
                            .arg(cell->high, 0, 'g', 10)
                            .arg(cell->problems_done)
                            .arg(cell->problems_total);
    return text;
}

QString ScoreCurves::summary() const {
    const SweepCell* best = table_.best();
    if (!best) return tr("No scores yet.");
    return tr("Best mean score %1 for N = %2 at temperature %3, 95 %% interval %4 to %5, over %6 "
              "temperatures.")
        .arg(scoreText(best->mean))
        .arg(best->n)
        .arg(best->temperature)
        .arg(scoreText(best->low), scoreText(best->high))
        .arg(table_.temperatures().size());
}

} // namespace tempera
