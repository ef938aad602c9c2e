#include "ui/pages/lens_legend.h"

#include "ui/theme/text.h"

#include <QCoreApplication>
#include <QPainter>

namespace tempera {

namespace {

constexpr int bar_width = 96;

} // namespace

LensLegend::LensLegend(QWidget* parent) : QWidget(parent) {
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
}

void LensLegend::setLens(Lens lens) {
    if (lens == lens_) return;
    lens_ = lens;
    const auto [low, high] = ends();
    setAccessibleName(
        QCoreApplication::translate("LensLegend", "%1, from %2 to %3").arg(lensName(lens), low, high));
    updateGeometry();
    update();
}

std::pair<QString, QString> LensLegend::ends() const {
    const auto words = [](const char* text) { return QCoreApplication::translate("LensLegend", text); };
    switch (lens_) {
    case Lens::logprob:
        return {words("−5 nats or less"), words("0, certain")};
    case Lens::difference:
        return {words("reference likelier, −2"), words("policy likelier, +2")};
    case Lens::mask:
        return {words("not in the loss"), words("in the loss")};
    case Lens::advantage:
        return {words("pushed down, −1"), words("pushed up, +1")};
    case Lens::none:
        break;
    }
    return {};
}

QSize LensLegend::sizeHint() const {
    const auto [low, high] = ends();
    const QFontMetrics metrics = fontMetrics();
    return {metrics.horizontalAdvance(low) + bar_width + 16 + metrics.horizontalAdvance(high),
            metrics.height() + 4};
}

void LensLegend::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    const Theme& theme = Theme::current();
    const auto [low, high] = ends();
    const int left = painter.fontMetrics().horizontalAdvance(low) + 8;
    painter.setPen(theme.muted);
    painter.drawText(rect(), Qt::AlignLeft | Qt::AlignVCenter, low);
    painter.drawText(rect(), Qt::AlignRight | Qt::AlignVCenter, high);
    const QRect bar(left, 4, bar_width, height() - 8);
    const LensScale scale = lensScale(lens_);
    for (int x = 0; x < bar.width(); ++x)
        painter.fillRect(
            QRect(bar.left() + x, bar.top(), 1, bar.height()),
            lensTint(lens_, scale.low + (scale.high - scale.low) * (x + 0.5) / bar.width(), theme));
    painter.setPen(theme.line);
    painter.drawRect(bar.adjusted(0, 0, -1, -1));
}

} // namespace tempera
