#include "ui/charts/chart.h"

#include "ui/charts/chart_export.h"
#include "ui/charts/export_dialog.h"
#include "ui/theme/icons.h"

#include <QClipboard>
#include <QContextMenuEvent>
#include <QCoreApplication>
#include <QEvent>
#include <QFileInfo>
#include <QGuiApplication>
#include <QImage>
#include <QMenu>
#include <QPainter>
#include <QStatusTipEvent>

namespace tempera {

Chart::Chart(const QString& title, QWidget* parent) : QWidget(parent), title_(title) {
    setFocusPolicy(Qt::StrongFocus);
    setAccessibleName(title);
}

void Chart::contextMenuEvent(QContextMenuEvent* event) {
    QMenu menu(this);
    menu.addAction(icon(QStringLiteral("export")), tr("Export…"), this, &Chart::openExportDialog);
    menu.addAction(icon(QStringLiteral("copy")), tr("Copy image"), this, &Chart::copyImage);
    menu.addAction(icon(QStringLiteral("copy")), tr("Copy values (CSV)"), this, &Chart::copyCsv);
    menu.addSeparator();
    menu.addAction(icon(QStringLiteral("reset")), tr("Show all"), this, [this] { resetView(); });
    menu.exec(event->globalPos());
    event->accept();
}

void Chart::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange
        || event->type() == QEvent::StyleChange)
        restyle();
}

void Chart::paintFocus(QPainter& painter, const ChartStyle& style) const {
    if (!hasFocus()) return;
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(style.accent, 1));
    painter.drawRoundedRect(QRectF(rect()).adjusted(1.5, 1.5, -1.5, -1.5), 4, 4);
    painter.restore();
}

void Chart::updateAccessibleText() {
    setAccessibleDescription(summary());
}

void Chart::openExportDialog() {
    ExportDialog dialog(*this, this);
    if (dialog.exec() != QDialog::Accepted) return;
    const QFileInfo file(dialog.fileName()); // its name first: the end may be cut
    QStatusTipEvent told(tr("%1 is exported to %2").arg(file.fileName(), file.absolutePath()));
    QCoreApplication::sendEvent(this, &told);
}

void Chart::copyCsv() {
    QGuiApplication::clipboard()->setText(csv());
}

void Chart::copyImage() {
    QGuiApplication::clipboard()->setImage(renderChart(*this, ExportSize::forWidth(160, size()), 192));
}

} // namespace tempera
