#include "ui/charts/win_rate_bars.h"

#include "ui/theme/text.h"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QPainter>
#include <QToolTip>
#include <qcustomplot.h>

#include <algorithm>
#include <cmath>

namespace tempera {

namespace {

constexpr double widest_name = 180;

QString signedText(double value) {
    const QString text = numberText(value);
    return value > 0 ? QString(u'+' + text) : text;
}

QString pText(double p) {
    return p < 0.001 ? QStringLiteral("p < .001") : QStringLiteral("p = ") + scoreText(p);
}

} // namespace

WinRateBars::WinRateBars(QWidget* parent) : Chart(tr("Win-rate against the base"), parent) {
    setAttribute(Qt::WA_OpaquePaintEvent);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

void WinRateBars::restyle() {
    updateGeometry();
    update();
}

void WinRateBars::setLines(const std::vector<WinRateLine>& lines, const std::string& shown) {
    const bool other_rows = lines.size() != lines_.size();
    lines_ = lines;
    shown_ = shown;
    for (int row = 0; row < int(lines_.size()); ++row)
        if (lines_[std::size_t(row)].run_id == shown) selected_ = row;
    if (other_rows) updateGeometry();
    updateAccessibleText();
    update();
}

QString WinRateBars::valueText(const WinRateLine& line) const {
    if (line.rate.prompts == 0) return statusText(line.status);
    return tr("%1 [%2, %3]   %4   Δ %5")
        .arg(scoreText(line.rate.rate), scoreText(line.rate.low), scoreText(line.rate.high),
             pText(line.rate.p), signedText(line.rate.difference.mean));
}

double WinRateBars::textWidth(const QFontMetricsF& metrics) const {
    // Room for the widest text there can be, so that bars do not jump while numbers change.
    double width = metrics.horizontalAdvance(QStringLiteral(".00 [.00, .00]   p < .001   Δ +00.00"));
    for (const WinRateLine& line : lines_)
        width = std::max(width, metrics.horizontalAdvance(valueText(line)));
    return width;
}

WinRateBars::Geometry WinRateBars::geometry(const QSizeF& size, const ChartStyle& style) const {
    const QFontMetricsF metrics(style.font);
    QFont shown_font = style.font;
    shown_font.setWeight(QFont::DemiBold); // any of them may be the one that is shown
    double name_width = 24;
    for (const WinRateLine& line : lines_)
        name_width = std::max(name_width,
                              std::min(widest_name, QFontMetricsF(shown_font).horizontalAdvance(line.name)));
    Geometry g;
    const double top = 8 + QFontMetricsF(style.title_font).height() + 8;
    const double bottom = metrics.height() + 12;
    g.name_left = 12;
    const double left = g.name_left + name_width + 12;
    const double right = size.width() - 12 - textWidth(metrics) - 12;
    g.text_left = std::max(left + 60, right) + 12;
    g.bars = QRectF(left, top, std::max(60.0, right - left), std::max(1.0, size.height() - top - bottom));
    g.row_height = g.bars.height() / std::max<std::size_t>(1, lines_.size());
    g.bar_height = std::clamp(g.row_height * 0.55, 6.0, 22.0);
    return g;
}

QRectF WinRateBars::bar(const Geometry& g, int row) const {
    return {g.bars.left(), g.bars.top() + (row + 0.5) * g.row_height - g.bar_height / 2, g.bars.width(),
            g.bar_height};
}

QRectF WinRateBars::barRect(int row) const {
    return bar(geometry(size(), ChartStyle::forWidget(*this)), row);
}

int WinRateBars::rowAt(const QPointF& at) const {
    const Geometry g = geometry(size(), ChartStyle::forWidget(*this));
    if (at.y() < g.bars.top() || at.y() >= g.bars.bottom() || lines_.empty()) return -1;
    return std::min(int(lines_.size()) - 1, int((at.y() - g.bars.top()) / g.row_height));
}

QSize WinRateBars::sizeHint() const {
    const ChartStyle style = ChartStyle::forWidget(*this);
    const int row = QFontMetrics(style.font).height() + 14;
    const int rows = std::clamp(int(lines_.size()), 1, 8);
    return {560,
            28 + QFontMetrics(style.title_font).height() + QFontMetrics(style.font).height() + rows * row};
}

QSize WinRateBars::minimumSizeHint() const {
    return {320, sizeHint().height()};
}

void WinRateBars::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    const ChartStyle style = ChartStyle::forWidget(*this);
    paintAll(painter, size(), style, true);
    paintFocus(painter, style);
}

void WinRateBars::paintChart(QCPPainter& painter, const QSizeF& size, const ChartStyle& style) {
    paintAll(painter, size, style, false);
}

void WinRateBars::paintAll(QPainter& painter, const QSizeF& size, const ChartStyle& style,
                           bool with_marks) const {
    painter.fillRect(QRectF(QPointF(), size), style.background);
    painter.setRenderHint(QPainter::Antialiasing);
    const Geometry g = geometry(size, style);
    const QFontMetricsF title_metrics(style.title_font);
    painter.setFont(style.title_font);
    painter.setPen(style.text);
    painter.drawText(QPointF(12, 8 + title_metrics.ascent()), title());
    painter.setFont(style.font);
    const QRectF legend(28 + title_metrics.horizontalAdvance(title()), 8,
                        size.width() - 40 - title_metrics.horizontalAdvance(title()), title_metrics.height());
    painter.setPen(style.muted);
    const QString words = std::none_of(lines_.begin(), lines_.end(),
                                       [](const WinRateLine& line) { return line.paper.has_value(); })
                              ? tr("wins, ties, losses; whisker: Wilson 95 %")
                              : tr("wins, ties, losses; whisker: Wilson 95 %; ◇ paper");
    painter.drawText(legend, Qt::AlignRight | Qt::AlignVCenter,
                     QFontMetricsF(style.font).elidedText(words, Qt::ElideRight, legend.width()));
    if (lines_.empty()) {
        painter.drawText(g.bars, Qt::AlignCenter, tr("The bars grow with the first scored pair of replies."));
        return;
    }
    paintAxis(painter, g, style);
    for (int row = 0; row < int(lines_.size()); ++row) {
        const QRectF place = bar(g, row);
        if (with_marks && row == selected_ && (lines_.size() > 1 || hasFocus())) {
            QColor tint = style.accent;
            tint.setAlphaF(0.1f);
            painter.setPen(hasFocus() ? QPen(style.accent, 1) : QPen(Qt::NoPen));
            painter.setBrush(tint);
            painter.drawRoundedRect(
                QRectF(4.5, place.center().y() - g.row_height / 2 + 1.5, size.width() - 9, g.row_height - 3),
                4, 4);
        }
        paintRow(painter, place, lines_[std::size_t(row)], g, style);
    }
}

void WinRateBars::paintAxis(QPainter& painter, const Geometry& g, const ChartStyle& style) const {
    const QFontMetricsF metrics(style.font);
    for (const double share : {0.0, 0.25, 0.5, 0.75, 1.0}) {
        const double x = g.bars.left() + share * g.bars.width();
        painter.setPen(
            QPen(share == 0.5 ? style.axis : style.grid, 1, share == 0.5 ? Qt::DashLine : Qt::SolidLine));
        painter.drawLine(QPointF(x, g.bars.top()), QPointF(x, g.bars.bottom()));
        painter.setPen(style.muted);
        painter.drawText(QRectF(x - 30, g.bars.bottom() + 4, 60, metrics.height()), Qt::AlignCenter,
                         share == 0   ? QStringLiteral("0")
                         : share == 1 ? QStringLiteral("1")
                                      : scoreText(share));
    }
}

void WinRateBars::paintRow(QPainter& painter, const QRectF& bar, const WinRateLine& line, const Geometry& g,
                           const ChartStyle& style) const {
    const QFontMetricsF metrics(style.font);
    QFont name_font = style.font;
    if (line.run_id == shown_) name_font.setWeight(QFont::DemiBold);
    painter.setFont(name_font);
    painter.setPen(style.text);
    const double name_width = bar.left() - 12 - g.name_left;
    painter.drawText(
        QRectF(g.name_left, bar.center().y() - metrics.height(), name_width, metrics.height() * 2),
        Qt::AlignLeft | Qt::AlignVCenter,
        QFontMetricsF(name_font).elidedText(line.name, Qt::ElideMiddle, name_width));
    painter.setFont(style.font);
    const WinRate& rate = line.rate;
    painter.setPen(rate.prompts > 0 ? style.text : style.muted);
    painter.drawText(QRectF(g.text_left, bar.center().y() - metrics.height(), textWidth(metrics) + 4,
                            metrics.height() * 2),
                     Qt::AlignLeft | Qt::AlignVCenter, valueText(line));
    if (rate.prompts > 0) {
        const auto x = [&](double share) { return bar.left() + share * bar.width(); };
        const double wins = double(rate.wins) / double(rate.prompts);
        const double ties = double(rate.ties) / double(rate.prompts);
        QColor lost = style.theme->seriesColor(1);
        lost.setAlphaF(0.45f);
        QColor tied = style.axis;
        tied.setAlphaF(0.35f);
        painter.fillRect(QRectF(x(0), bar.top(), x(wins) - x(0), bar.height()), style.theme->seriesColor(0));
        painter.fillRect(QRectF(x(wins), bar.top(), x(wins + ties) - x(wins), bar.height()), tied);
        painter.fillRect(QRectF(x(wins + ties), bar.top(), x(1) - x(wins + ties), bar.height()), lost);
        const double y = bar.center().y(), half = std::min(5.0, bar.height() / 2);
        const auto whisker = [&](const QColor& color, double width) {
            painter.setPen(QPen(color, width, Qt::SolidLine, Qt::FlatCap));
            painter.drawLine(QPointF(x(rate.low), y), QPointF(x(rate.high), y));
            for (const double end : {rate.low, rate.high})
                painter.drawLine(QPointF(x(end), y - half), QPointF(x(end), y + half));
        };
        whisker(style.background, 4);
        whisker(style.text, 1.6);
    }
    if (line.paper) {
        const QPointF at(bar.left() + *line.paper * bar.width(), bar.center().y());
        painter.setPen(QPen(style.text, 1.8));
        painter.setBrush(style.background);
        painter.drawPolygon(
            QPolygonF({at + QPointF(0, -7), at + QPointF(6, 0), at + QPointF(0, 7), at + QPointF(-6, 0)}));
    }
}

QString WinRateBars::describe(const WinRateLine& line) const {
    const WinRate& rate = line.rate;
    if (rate.prompts == 0) return tr("%1: no scored pair yet").arg(line.name);
    QString text = tr("%1: win-rate %2, 95 % interval %3 to %4; %5, %6, %7 of %8; sign test %9")
                       .arg(line.name, scoreText(rate.rate), scoreText(rate.low),
                            scoreText(rate.high),                                        // at once: a name
                            rate.wins == 1 ? tr("1 win") : tr("%1 wins").arg(rate.wins), // may hold a "%5"
                            rate.ties == 1 ? tr("1 tie") : tr("%1 ties").arg(rate.ties),
                            rate.losses == 1 ? tr("1 loss") : tr("%1 losses").arg(rate.losses),
                            QString::number(rate.prompts), pText(rate.p));
    text +=
        tr("; mean score %1 against %2, difference %3 [%4, %5]")
            .arg(numberText(rate.tuned_mean), numberText(rate.base_mean), signedText(rate.difference.mean),
                 signedText(rate.difference.low), signedText(rate.difference.high));
    if (rate.unscored > 0) text += tr("; %1 pairs without a score").arg(rate.unscored);
    if (line.paper) text += tr("; the paper reports %1").arg(scoreText(*line.paper));
    return text;
}

void WinRateBars::mouseReleaseEvent(QMouseEvent* event) {
    const int row = rowAt(event->position());
    if (event->button() != Qt::LeftButton || row < 0) return;
    selected_ = row;
    update();
    Q_EMIT runClicked(toQt(lines_[std::size_t(row)].run_id));
}

void WinRateBars::keyPressEvent(QKeyEvent* event) {
    const int last = int(lines_.size()) - 1;
    switch (event->key()) {
    case Qt::Key_Up:
        selected_ = std::max(0, selected_ - 1);
        break;
    case Qt::Key_Down:
        selected_ = std::min(last, selected_ + 1);
        break;
    case Qt::Key_Return:
    case Qt::Key_Enter:
    case Qt::Key_Space:
        if (selected_ >= 0 && selected_ <= last)
            Q_EMIT runClicked(toQt(lines_[std::size_t(selected_)].run_id));
        return;
    default:
        Chart::keyPressEvent(event);
        return;
    }
    update();
}

bool WinRateBars::event(QEvent* event) {
    if (event->type() == QEvent::FocusIn || event->type() == QEvent::FocusOut) update();
    if (event->type() != QEvent::ToolTip) return Chart::event(event);
    const auto* help = static_cast<QHelpEvent*>(event);
    if (const int row = rowAt(help->pos()); row >= 0)
        QToolTip::showText(help->globalPos(), tipText(describe(lines_[std::size_t(row)])), this);
    else
        QToolTip::hideText();
    return true;
}

QString WinRateBars::csv() const {
    QString text = QStringLiteral("name,prompts,wins,ties,losses,unscored,rate,low,high,p,difference,"
                                  "difference_low,difference_high,paper\n");
    for (const WinRateLine& line : lines_) {
        const WinRate& rate = line.rate;
        QString name = line.name;
        text += u'"' + name.replace(u'"', QStringLiteral("\"\"")) + u'"';
        for (const std::int64_t count : {rate.prompts, rate.wins, rate.ties, rate.losses, rate.unscored})
            text += u',' + QString::number(count);
        for (const double value : {rate.rate, rate.low, rate.high, rate.p, rate.difference.mean,
                                   rate.difference.low, rate.difference.high})
            text += u',' + QString::number(value, 'g', 10);
        text += u',' + (!line.paper ? QString() : QString::number(*line.paper, 'g', 10)) + u'\n';
    }
    return text;
}

QString WinRateBars::summary() const {
    QStringList parts;
    for (const WinRateLine& line : lines_)
        parts << describe(line);
    return parts.isEmpty() ? tr("No win-rate yet.") : parts.join(QStringLiteral(". ")) + u'.';
}

} // namespace tempera
