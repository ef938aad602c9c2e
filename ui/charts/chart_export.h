#pragma once

#include <QImage>
#include <QSizeF>
#include <QString>

namespace tempera {

class Chart;

/// The size of a figure on paper.
struct ExportSize {
    double width_mm = 160;
    double height_mm = 100;
    /// `width_mm` wide, with the proportions of the screen.
    static ExportSize forWidth(double width_mm, const QSize& screen);
    /// In the chart's own pixels, 96 an inch.
    QSizeF pixels() const;
};

/// Paints on white at `dots_per_inch`.
QImage renderChart(Chart& chart, const ExportSize& size, int dots_per_inch);

/// Writes the chart by the file name's ending: .pdf and .svg (vector; PDF embeds the fonts, SVG draws text as
/// outlines, so that both look the same everywhere), .png (300 dots per inch, with its physical size), .csv
/// (the numbers). Returns "" or one sentence on what went wrong.
QString exportChart(Chart& chart, const QString& file_name, const ExportSize& size);

} // namespace tempera
