#include "ui/charts/length_histogram.h"

#include "ui/charts/step_ticker.h"
#include "ui/theme/text.h"

#include <QFontMetricsF>
#include <qcustomplot.h>

#include <algorithm>
#include <cmath>

namespace tempera {

LengthHistogramChart::LengthHistogramChart(QWidget* parent)
    : PlotChart(tr("Lengths"), tr("tokens"), tr("rows"), parent), steps_(plot_->addGraph()) {
    steps_->setLineStyle(QCPGraph::lsStepLeft);
    for (QCPAxis* axis : {plot_->xAxis, plot_->yAxis}) {
        axis->setTicker(QSharedPointer<StepTicker>::create());
        axis->ticker()->setTickCount(4);
    }
    restyle();
}

void LengthHistogramChart::setLengths(const LengthHistogram& lengths, std::int64_t max_length) {
    lengths_ = lengths;
    max_length_ = max_length;
    stale_ = true;
    plot_->xAxis->setLabel(toQt(lengths.unit));
    dataChanged();
}

void LengthHistogramChart::prepareDraw() {
    if (!std::exchange(stale_, false)) return;
    QVector<QCPGraphData> points;
    for (std::size_t i = 0; i < lengths_.counts.size(); ++i)
        points.push_back({double(lengths_.edges[i]), double(lengths_.counts[i])});
    if (!points.isEmpty()) points.push_back({double(lengths_.edges.back()), 0});
    steps_->data()->set(points, true);
}

void LengthHistogramChart::applySeriesStyle(const ChartStyle& style) {
    QColor color = style.theme->seriesColor(0);
    steps_->setPen(QPen(color, 1.2));
    color.setAlphaF(0.3f);
    steps_->setBrush(color);
}

bool LengthHistogramChart::dataRange(QRectF& range) const {
    if (lengths_.counts.empty()) return false;
    const auto most = *std::max_element(lengths_.counts.begin(), lengths_.counts.end());
    double right = double(lengths_.edges.back());
    for (const Mark& mark : marks())
        if (!mark.limit || mark.x < 1.5 * right) right = std::max(right, mark.x * 1.02);
    range = QRectF(QPointF(double(lengths_.edges.front()), 0),
                   QPointF(right, double(std::max<std::int64_t>(1, most))));
    return true;
}

int LengthHistogramChart::binAt(double x) const {
    const auto edge =
        std::upper_bound(lengths_.edges.begin(), lengths_.edges.end(), std::int64_t(std::floor(x)));
    const auto bin = edge - lengths_.edges.begin() - 1;
    return bin < 0 || bin >= std::ptrdiff_t(lengths_.counts.size()) ? -1 : int(bin);
}

double LengthHistogramChart::nearestX(double x) const {
    if (lengths_.counts.empty()) return x;
    const int bin = binAt(std::clamp(x, double(lengths_.edges.front()), double(lengths_.edges.back() - 1)));
    return bin < 0 ? x
                   : (double(lengths_.edges[std::size_t(bin)]) + double(lengths_.edges[std::size_t(bin) + 1]))
                         / 2;
}

QString LengthHistogramChart::readoutAt(double x) const {
    const int bin = binAt(x);
    if (bin < 0) return {};
    return tr("%1 to %2 %3: %4 rows")
        .arg(lengths_.edges[std::size_t(bin)])
        .arg(lengths_.edges[std::size_t(bin) + 1] - 1)
        .arg(toQt(lengths_.unit))
        .arg(lengths_.counts[std::size_t(bin)]);
}

std::vector<LengthHistogramChart::Mark> LengthHistogramChart::marks() const {
    if (lengths_.counts.empty()) return {};
    std::vector<Mark> marks{{double(lengths_.median), tr("median %1").arg(lengths_.median), false},
                            {double(lengths_.p95), tr("95 %: %1").arg(lengths_.p95), false}};
    if (max_length_ > 0) marks.push_back({double(max_length_), tr("cut at %1").arg(max_length_), true});
    return marks;
}

int LengthHistogramChart::rightMargin(const ChartStyle&) const {
    return 16;
}

void LengthHistogramChart::paintOverlay(QCPPainter& painter, const ChartStyle& style) {
    painter.save();
    painter.setFont(style.font);
    const QRectF area(plot_->axisRect()->rect());
    if (lengths_.counts.empty()) {
        painter.setPen(style.muted);
        painter.drawText(area, Qt::AlignCenter | Qt::TextWordWrap,
                         tr("Check the rows to see how long they are."));
        painter.restore();
        return;
    }
    const QFontMetricsF metrics(style.font);
    double line = area.top() + 2; // each label on a line of its own
    for (const Mark& mark : marks()) {
        const double x = plot_->xAxis->coordToPixel(mark.x);
        if (x < area.left() - 1 || x > area.right() + 1) continue;
        painter.setPen(QPen(mark.limit ? style.theme->failed : style.axis, 1, Qt::DashLine));
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()));
        const double width = metrics.horizontalAdvance(mark.text);
        const bool left = x + 4 + width > area.right();
        const QRectF place(left ? x - 4 - width : x + 4, line, width + 1, metrics.height());
        painter.fillRect(place, style.veil());
        painter.setPen(mark.limit ? style.theme->failed : style.muted);
        painter.drawText(place, Qt::AlignLeft, mark.text);
        line += metrics.height();
    }
    painter.restore();
}

QString LengthHistogramChart::csv() const {
    QString text = QStringLiteral("from,to,rows\n");
    for (std::size_t i = 0; i < lengths_.counts.size(); ++i)
        text += QStringLiteral("%1,%2,%3\n")
                    .arg(lengths_.edges[i])
                    .arg(lengths_.edges[i + 1] - 1)
                    .arg(lengths_.counts[i]);
    return text;
}

QString LengthHistogramChart::summary() const {
    if (lengths_.counts.empty()) return tr("No lengths yet.");
    return tr("Lengths in %1: shortest %2, median %3, 95 % below %4, longest %5.")
        .arg(toQt(lengths_.unit))
        .arg(lengths_.shortest)
        .arg(lengths_.median)
        .arg(lengths_.p95)
        .arg(lengths_.longest);
}

} // namespace tempera
