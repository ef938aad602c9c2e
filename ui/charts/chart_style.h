#pragma once

#include "ui/theme/theme.h"

#include <QFont>

namespace tempera {

/// Colours and fonts of a chart. Fonts are in pixels of the chart's own coordinates, so a chart keeps its
/// proportions on every device it is painted on.
struct ChartStyle {
    QColor background, text, muted, grid, axis, accent;
    QFont font, title_font;
    const Theme* theme = nullptr;

    /// No text is smaller: 9 pt at 96 pixels an inch.
    static constexpr int least_pixels = 12;

    /// Laid under a text that stands on curves or bars: they are still seen, and the text is read.
    QColor veil() const;

    static ChartStyle forWidget(const QWidget& widget);
    /// White paper, whatever the scheme on the screen; text of 9 pt at 96 pixels an inch.
    static ChartStyle forExport(const QFont& family);
};

} // namespace tempera
