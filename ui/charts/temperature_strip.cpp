#include "ui/charts/temperature_strip.h"

#include "ui/theme/text.h"

#include <QHelpEvent>
#include <QPainter>
#include <QToolTip>
#include <qcustomplot.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace tempera {

namespace {

struct Measure {
    const char* label;
    double SweepRow::*value;
    bool share; ///< shown in percent on a scale to 1; else as a number on a scale to the largest
};

constexpr std::array<Measure, 4> measures{{{"pass@1", &SweepRow::pass_at_1, true},
                                           {"format rate", &SweepRow::format_rate, true},
                                           {"mean length", &SweepRow::mean_length, false},
                                           {"truncated", &SweepRow::truncated_share, true}}};

QString valueText(const SweepRow& row, const Measure& measure) {
    const double value = row.*measure.value;
    if (std::isnan(value)) return QStringLiteral("–"); // a length that the endpoint did not say
    return measure.share ? percentText(value) : QString::number(value, 'f', 0);
}

double labelWidth(const QFontMetricsF& metrics) {
    double width = 0;
    for (const Measure& measure : measures)
        width = std::max(width, metrics.horizontalAdvance(QString::fromLatin1(measure.label)));
    return width + 24;
}

} // namespace

TemperatureStrip::TemperatureStrip(QWidget* parent)
    : Chart(tr("Single samples per temperature"), parent),
      highlight_(std::numeric_limits<double>::quiet_NaN()) {
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

void TemperatureStrip::setRows(std::vector<SweepRow> rows) {
    std::sort(rows.begin(), rows.end(),
              [](const SweepRow& a, const SweepRow& b) { return a.temperature < b.temperature; });
    rows_ = std::move(rows);
    updateAccessibleText();
    update();
}

void TemperatureStrip::highlight(double temperature) {
    highlight_ = temperature;
    update();
}

QSize TemperatureStrip::sizeHint() const {
    const QFontMetrics metrics(ChartStyle::forWidget(*this).font);
    return {600, static_cast<int>((metrics.height() + 8) * (measures.size() + 1) + 16)};
}

QSize TemperatureStrip::minimumSizeHint() const {
    return {240, sizeHint().height()};
}

void TemperatureStrip::restyle() {
    updateGeometry();
    update();
}

void TemperatureStrip::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    const ChartStyle style = ChartStyle::forWidget(*this);
    paintAll(painter, size(), style);
    paintFocus(painter, style);
}

void TemperatureStrip::paintChart(QCPPainter& painter, const QSizeF& size, const ChartStyle& style) {
    paintAll(painter, size, style);
}

void TemperatureStrip::paintAll(QPainter& painter, const QSizeF& size, const ChartStyle& style) const {
    painter.fillRect(QRectF(QPointF(), size), style.background);
    painter.setFont(style.font);
    const QFontMetricsF metrics(style.font);
    const double left = labelWidth(metrics);
    const double row_height = (size.height() - 16) / (measures.size() + 1);
    const double column_width = (size.width() - left - 12) / std::max<std::size_t>(1, rows_.size());
    painter.setPen(style.muted);
    painter.drawText(QRectF(12, 8, left, row_height), Qt::AlignLeft | Qt::AlignVCenter, tr("T"));
    for (std::size_t m = 0; m < measures.size(); ++m)
        painter.drawText(QRectF(12, 8 + row_height * double(m + 1), left, row_height),
                         Qt::AlignLeft | Qt::AlignVCenter, QString::fromLatin1(measures[m].label));
    for (std::size_t c = 0; c < rows_.size(); ++c) {
        const QRectF head(left + double(c) * column_width, 8, column_width, row_height);
        const bool marked = std::abs(rows_[c].temperature - highlight_) < 1e-9;
        painter.setPen(marked ? style.text : style.muted);
        painter.drawText(head, Qt::AlignCenter, temperatureText(rows_[c].temperature));
        if (rows_[c].samples_done <= 0) continue;
        for (std::size_t m = 0; m < measures.size(); ++m) {
            double most = 1;
            if (!measures[m].share)
                for (const SweepRow& row : rows_)
                    most = std::max(most, row.*measures[m].value);
            const QRectF cell = head.translated(0, row_height * double(m + 1)).adjusted(2, 2, -2, -2);
            painter.fillRect(cell, style.theme->raised);
            QColor bar = style.theme->seriesColor(5);
            bar.setAlphaF(marked ? 0.55f : 0.32f);
            const double value = rows_[c].*measures[m].value;
            const double share = std::isnan(value) ? 0 : std::clamp(value / most, 0.0, 1.0);
            painter.fillRect(QRectF(cell.left(), cell.top(), cell.width() * share, cell.height()), bar);
            const QString text = valueText(rows_[c], measures[m]);
            painter.setPen(style.text);
            painter.drawText(cell, Qt::AlignCenter,
                             metrics.horizontalAdvance(text) <= cell.width()
                                 ? text
                                 : QString(text).remove(QStringLiteral(" %")));
        }
    }
}

int TemperatureStrip::columnAt(double x) const {
    const double left = labelWidth(QFontMetricsF(ChartStyle::forWidget(*this).font));
    if (rows_.empty() || x < left) return -1;
    const int column = static_cast<int>((x - left) / ((width() - left - 12) / double(rows_.size())));
    return column < int(rows_.size()) ? column : -1;
}

bool TemperatureStrip::event(QEvent* event) {
    if (event->type() != QEvent::ToolTip) return Chart::event(event);
    const auto* help = static_cast<QHelpEvent*>(event);
    const int column = columnAt(help->pos().x());
    if (column < 0) {
        QToolTip::showText(
            help->globalPos(),
            tr("pass@1: share of samples with the right value. format rate: share with a readable answer.\n"
               "mean length: tokens. truncated: share cut off at the token limit."),
            this);
        return true;
    }
    const SweepRow& row = rows_[std::size_t(column)];
    QString text = tr("T %1: mean score %2, %3 of %4 samples")
                       .arg(temperatureText(row.temperature))
                       .arg(scoreText(row.score))
                       .arg(row.samples_done)
                       .arg(row.samples_total);
    for (const Measure& measure : measures)
        text += QStringLiteral("\n%1 %2").arg(QString::fromLatin1(measure.label), valueText(row, measure));
    QToolTip::showText(help->globalPos(), text, this);
    return true;
}

QString TemperatureStrip::csv() const {
    QString text = QStringLiteral(
        "temperature,score,pass_at_1,format_rate,mean_length,truncated_share,samples_done,samples_total\n");
    for (const SweepRow& row : rows_) {
        QStringList values;
        for (const double value : {row.temperature, row.score, row.pass_at_1, row.format_rate,
                                   row.mean_length, row.truncated_share})
            values << QString::number(value, 'g', 10);
        values << QString::number(row.samples_done) << QString::number(row.samples_total);
        text += values.join(u',') + u'\n';
    }
    return text;
}

QString TemperatureStrip::summary() const {
    if (rows_.empty()) return tr("No samples yet.");
    QStringList parts;
    for (const SweepRow& row : rows_)
        parts << tr("T %1: pass@1 %2, format %3")
                     .arg(row.temperature)
                     .arg(percentText(row.pass_at_1), percentText(row.format_rate));
    return parts.join(QStringLiteral("; ")) + u'.';
}

} // namespace tempera
