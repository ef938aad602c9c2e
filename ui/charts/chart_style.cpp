#include "ui/charts/chart_style.h"

#include "ui/theme/text.h"

#include <QFontInfo>
#include <QWidget>

#include <cmath>

namespace tempera {

namespace {

ChartStyle styleFrom(const Theme& theme, const QFont& family, int pixels) {
    ChartStyle style;
    style.theme = &theme;
    style.background = theme.surface;
    style.text = theme.text;
    style.muted = theme.muted;
    style.grid = theme.grid;
    style.axis = theme.axis;
    style.accent = theme.accent;
    style.font = tabularFont(family);
    style.font.setPixelSize(pixels);
    style.title_font = style.font;
    style.title_font.setWeight(QFont::DemiBold);
    return style;
}

} // namespace

QColor ChartStyle::veil() const {
    QColor color = background;
    color.setAlphaF(0.75f);
    return color;
}

ChartStyle ChartStyle::forWidget(const QWidget& widget) {
    // Ticks and labels one step below the text size, and never below 9 pt.
    const int pixels =
        std::max(least_pixels, static_cast<int>(std::lround(QFontInfo(widget.font()).pixelSize() * 0.92)));
    return styleFrom(Theme::current(), widget.font(), pixels);
}

ChartStyle ChartStyle::forExport(const QFont& family) {
    ChartStyle style = styleFrom(Theme::of(Scheme::light), family, 12);
    style.background = Qt::white;
    style.font.setHintingPreference(QFont::PreferNoHinting);
    style.title_font.setHintingPreference(QFont::PreferNoHinting);
    return style;
}

} // namespace tempera
