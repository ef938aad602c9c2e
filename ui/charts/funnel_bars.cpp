#include "ui/charts/funnel_bars.h"

#include "ui/theme/text.h"
#include "ui/theme/theme.h"

#include <QPainter>
#include <qcustomplot.h>

#include <algorithm>
#include <cmath>

namespace tempera {

namespace {

constexpr const char* headline_keys[] = {"asked", "parsed", "correct", "new"};

} // namespace

FunnelBars::FunnelBars(QWidget* parent)
    : Chart(tr("Problems of the teacher"), parent), steps_{{tr("asked for"), 0},
                                                           {tr("could be read"), 0},
                                                           {tr("are right"), 0},
                                                           {tr("are new"), 0}} {
    setAttribute(Qt::WA_OpaquePaintEvent);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

void FunnelBars::restyle() {
    updateGeometry();
    update();
}

void FunnelBars::setCounts(const std::map<std::string, double>& headline) {
    for (std::size_t i = 0; i < steps_.size(); ++i) {
        const auto found = headline.find(headline_keys[i]);
        steps_[i].count = found == headline.end() ? 0 : found->second;
    }
    updateAccessibleText();
    update();
}

QString FunnelBars::valueText(const Step& step) const {
    const QString count = wholeText(std::llround(step.count));
    return steps_[0].count > 0 ? tr("%1  (%2)").arg(count, percentText(step.count / steps_[0].count)) : count;
}

QRectF FunnelBars::bar(const QSizeF& size, const ChartStyle& style, int step) const {
    const QFontMetricsF metrics(style.font);
    double names = 0, values = 0;
    for (const Step& one : steps_) {
        names = std::max(names, metrics.horizontalAdvance(one.name));
        values = std::max(values, metrics.horizontalAdvance(valueText(one)));
    }
    const double top = 20 + QFontMetricsF(style.title_font).height(), left = 12 + names + 12,
                 width = std::max(40.0, size.width() - left - values - 24),
                 row = std::min((size.height() - top - 8) / double(steps_.size()), metrics.height() + 14);
    const double share =
        steps_[0].count > 0 ? std::clamp(steps_[std::size_t(step)].count / steps_[0].count, 0.0, 1.0) : 0;
    return {left, top + step * row + 3, share * width, row - 6};
}

QRectF FunnelBars::barRect(int step) const {
    return bar(size(), ChartStyle::forWidget(*this), step);
}

QSize FunnelBars::sizeHint() const {
    const ChartStyle style = ChartStyle::forWidget(*this);
    return {560, 28 + QFontMetrics(style.title_font).height()
                     + int(steps_.size()) * (QFontMetrics(style.font).height() + 14)};
}

QSize FunnelBars::minimumSizeHint() const {
    return {320, sizeHint().height()};
}

void FunnelBars::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    paintAll(painter, size(), ChartStyle::forWidget(*this));
}

void FunnelBars::paintChart(QCPPainter& painter, const QSizeF& size, const ChartStyle& style) {
    paintAll(painter, size, style);
}

void FunnelBars::paintAll(QPainter& painter, const QSizeF& size, const ChartStyle& style) const {
    painter.fillRect(QRectF(QPointF(), size), style.background);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setFont(style.title_font);
    painter.setPen(style.text);
    painter.drawText(QPointF(12, 8 + QFontMetricsF(style.title_font).ascent()), title());
    painter.setFont(style.font);
    const double height = QFontMetricsF(style.font).height();
    for (int step = 0; step < int(steps_.size()); ++step) {
        const QRectF place = bar(size, style, step);
        const QRectF line(12, place.center().y() - height, size.width() - 24, height * 2);
        painter.setPen(style.text);
        painter.drawText(line, Qt::AlignLeft | Qt::AlignVCenter, steps_[std::size_t(step)].name);
        QColor color = style.theme->seriesColor(0);
        color.setAlphaF(step + 1 == int(steps_.size()) ? 1.0f : 0.55f);
        painter.fillRect(place, color);
        painter.setPen(steps_[0].count > 0 ? style.text : style.muted);
        painter.drawText(line.adjusted(place.right(), 0, 0, 0), Qt::AlignLeft | Qt::AlignVCenter,
                         valueText(steps_[std::size_t(step)]));
    }
}

QString FunnelBars::csv() const {
    QString text = QStringLiteral("step,count\n");
    for (std::size_t i = 0; i < steps_.size(); ++i)
        text += QStringLiteral("%1,%2\n")
                    .arg(QString::fromLatin1(headline_keys[i]))
                    .arg(steps_[i].count, 0, 'f', 0);
    return text;
}

QString FunnelBars::summary() const {
    QStringList parts;
    for (const Step& step : steps_)
        parts << tr("%1 %2").arg(wholeText(std::llround(step.count)), step.name);
    return tr("Problems of the teacher: %1.").arg(parts.join(QStringLiteral(", ")));
}

} // namespace tempera
