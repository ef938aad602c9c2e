#include "ui/charts/chart_export.h"

#include "ui/charts/chart.h"
#include "ui/charts/outline_device.h"

#include <QBuffer>
#include <QFileInfo>
#include <QPageLayout>
#include <QPainter>
#include <QPdfWriter>
#include <QSaveFile>
#include <QSvgGenerator>
#include <qcustomplot.h>

#include <cmath>

namespace tempera {

namespace {

constexpr double dots_per_inch_of_chart = 96;
constexpr QCPPainter::PainterModes export_modes{QCPPainter::pmVectorized | QCPPainter::pmNoCaching
                                                | QCPPainter::pmNonCosmetic};

QByteArray pngOf(Chart& chart, const ExportSize& size) {
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    renderChart(chart, size, 300).save(&buffer, "PNG");
    return bytes;
}

QByteArray pdfOf(Chart& chart, const ExportSize& size) {
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    QPdfWriter writer(&buffer);
    writer.setCreator(QStringLiteral("Tempera"));
    writer.setTitle(chart.title());
    writer.setResolution(1200);
    writer.setPageMargins(QMarginsF(0, 0, 0, 0));
    writer.setPageSize(QPageSize(QSizeF(size.width_mm, size.height_mm), QPageSize::Millimeter, QString(),
                                 QPageSize::ExactMatch));
    QCPPainter painter(&writer);
    painter.scale(1200 / dots_per_inch_of_chart, 1200 / dots_per_inch_of_chart);
    painter.setModes(export_modes);
    chart.paintChart(painter, size.pixels(), ChartStyle::forExport(chart.font()));
    painter.end();
    return bytes;
}

QByteArray svgOf(Chart& chart, const ExportSize& size) {
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    QSvgGenerator generator;
    generator.setOutputDevice(&buffer);
    generator.setResolution(static_cast<int>(dots_per_inch_of_chart));
    const QSizeF pixels = size.pixels();
    generator.setSize(pixels.toSize());
    generator.setViewBox(QRectF(QPointF(), pixels));
    generator.setTitle(chart.title());
    QPainter target(&generator);
    {
        OutlineDevice outlines(target, pixels);
        QCPPainter painter(&outlines);
        painter.setModes(export_modes);
        chart.paintChart(painter, pixels, ChartStyle::forExport(chart.font()));
    }
    target.end();
    return bytes;
}

} // namespace

ExportSize ExportSize::forWidth(double width_mm, const QSize& screen) {
    const double ratio =
        screen.width() > 0 && screen.height() > 0 ? double(screen.height()) / screen.width() : 0.62;
    return {width_mm, width_mm * std::clamp(ratio, 0.2, 1.5)};
}

QSizeF ExportSize::pixels() const {
    return QSizeF(width_mm, height_mm) / 25.4 * dots_per_inch_of_chart;
}

QImage renderChart(Chart& chart, const ExportSize& size, int dots_per_inch) {
    const double scale = dots_per_inch / dots_per_inch_of_chart;
    const QSizeF pixels = size.pixels();
    QImage image((pixels * scale).toSize(), QImage::Format_ARGB32_Premultiplied);
    image.fill(Qt::white);
    QCPPainter painter(&image);
    painter.setRenderHints(QPainter::Antialiasing | QPainter::TextAntialiasing);
    painter.scale(scale, scale);
    painter.setModes(export_modes);
    chart.paintChart(painter, pixels, ChartStyle::forExport(chart.font()));
    painter.end();
    image.setDotsPerMeterX(static_cast<int>(std::lround(dots_per_inch / 0.0254)));
    image.setDotsPerMeterY(image.dotsPerMeterX());
    return image;
}

QString exportChart(Chart& chart, const QString& file_name, const ExportSize& size) {
    const QString ending = QFileInfo(file_name).suffix().toLower();
    QByteArray bytes;
    if (ending == QLatin1String("png"))
        bytes = pngOf(chart, size);
    else if (ending == QLatin1String("pdf"))
        bytes = pdfOf(chart, size);
    else if (ending == QLatin1String("svg"))
        bytes = svgOf(chart, size);
    else if (ending == QLatin1String("csv"))
        bytes = chart.csv().toUtf8();
    else
        return Chart::
            tr("Cannot export to “%1”: the ending says no format known here; use .png, .svg, .pdf or .csv.")
                .arg(file_name);
    QSaveFile file(file_name);
    if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size() || !file.commit())
        return Chart::tr("Cannot write “%1”: %2. Choose another folder or free some space.")
            .arg(file_name, file.errorString());
    return {};
}

} // namespace tempera
