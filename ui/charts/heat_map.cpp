#include "ui/charts/heat_map.h"

#include "ui/theme/text.h"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QPainter>
#include <QToolTip>
#include <qcustomplot.h>

#include <cmath>

namespace tempera {

HeatMap::HeatMap(QWidget* parent) : Chart(tr("Best of N over temperature"), parent) {
    setMouseTracking(true);
    setAttribute(Qt::WA_OpaquePaintEvent);
    setCursor(Qt::PointingHandCursor);
}

void HeatMap::setTable(const SweepTable& table) {
    std::optional<std::pair<double, int>> kept;
    if (const SweepCell* cell = table_.at(selected_.column, selected_.row))
        kept = {cell->temperature, cell->n};
    table_ = table;
    selected_ = {};
    if (kept) selected_ = {table_.columnOf(kept->first), table_.rowOf(kept->second)};
    updateAccessibleText();
    update();
}

void HeatMap::setColorMap(ColorMap map) {
    map_ = map;
    update();
}

void HeatMap::select(double temperature, int n) {
    selected_ = {table_.columnOf(temperature), table_.rowOf(n)};
    update();
}

QRectF HeatMap::Geometry::at(int column, int row, int rows) const {
    return {cells.left() + column * cell_width, cells.top() + (rows - 1 - row) * cell_height, cell_width,
            cell_height};
}

HeatMap::Geometry HeatMap::geometry(const QSizeF& size, const ChartStyle& style) const {
    const QFontMetricsF metrics(style.font);
    const QFontMetricsF title_metrics(style.title_font);
    const int most = table_.counts().empty() ? 10 : std::max(10, table_.counts().back());
    const double left = 12 + metrics.height() + 8 + metrics.horizontalAdvance(QString::number(most)) + 4;
    const double top = 8 + title_metrics.height() + 8;
    const double bottom = metrics.height() * 2 + 16;
    const double right = 12 + 8 + 4 + metrics.horizontalAdvance(QStringLiteral("1.00")) + 12;
    Geometry g;
    g.cells = QRectF(left, top, std::max(1.0, size.width() - left - right),
                     std::max(1.0, size.height() - top - bottom));
    g.cell_width = g.cells.width() / std::max<std::size_t>(1, table_.temperatures().size());
    g.cell_height = g.cells.height() / std::max<std::size_t>(1, table_.counts().size());
    return g;
}

QRectF HeatMap::cellRect(int column, int row) const {
    return geometry(size(), ChartStyle::forWidget(*this)).at(column, row, int(table_.counts().size()));
}

HeatMap::Place HeatMap::placeAt(const QPointF& at) const {
    const Geometry g = geometry(size(), ChartStyle::forWidget(*this));
    if (!g.cells.contains(at) || table_.empty()) return {};
    const int rows = int(table_.counts().size());
    return {std::min(int((at.x() - g.cells.left()) / g.cell_width), int(table_.temperatures().size()) - 1),
            rows - 1 - std::min(int((at.y() - g.cells.top()) / g.cell_height), rows - 1)};
}

void HeatMap::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    const ChartStyle style = ChartStyle::forWidget(*this);
    paintAll(painter, size(), style, true);
    paintFocus(painter, style);
}

void HeatMap::paintChart(QCPPainter& painter, const QSizeF& size, const ChartStyle& style) {
    paintAll(painter, size, style, false);
}

void HeatMap::paintAll(QPainter& painter, const QSizeF& size, const ChartStyle& style,
                       bool with_marks) const {
    painter.fillRect(QRectF(QPointF(), size), style.background);
    painter.setRenderHint(QPainter::Antialiasing);
    const Geometry g = geometry(size, style);
    painter.setFont(style.title_font);
    painter.setPen(style.text);
    const QFontMetricsF title_metrics(style.title_font);
    const double title_width = title_metrics.horizontalAdvance(title());
    painter.drawText(QPointF(12, 8 + title_metrics.ascent()), title());
    painter.setFont(style.font);
    if (table_.empty()) {
        painter.setPen(style.muted);
        painter.drawText(g.cells, Qt::AlignCenter | Qt::TextWordWrap,
                         tr("The cells fill as the first problems are scored."));
        return;
    }
    if (with_marks && !readout().isEmpty()) {
        const QRectF room(28 + title_width, 8, size.width() - title_width - 40, title_metrics.height());
        painter.drawText(room, Qt::AlignRight | Qt::AlignVCenter,
                         QFontMetricsF(style.font).elidedText(readout(), Qt::ElideRight, room.width()));
    }
    const int rows = int(table_.counts().size());
    for (int row = 0; row < rows; ++row)
        for (int column = 0; column < int(table_.temperatures().size()); ++column)
            paintCell(painter, g.at(column, row, rows).adjusted(0.5, 0.5, -0.5, -0.5), table_.at(column, row),
                      style);
    painter.setFont(style.font); // a narrow cell's is smaller
    paintAxes(painter, g, style);
    paintScale(painter, size, g, style);
    if (!with_marks) return;
    painter.setBrush(Qt::NoBrush);
    const auto outline = [&](Place place, const QColor& outer, double width) {
        if (!place.valid()) return;
        const QRectF rect = g.at(place.column, place.row, rows);
        painter.setPen(QPen(style.background, width + 2));
        painter.drawRect(rect);
        painter.setPen(QPen(outer, width));
        painter.drawRect(rect);
    };
    outline(hovered_, style.muted, 1);
    outline(selected_, hasFocus() ? style.accent : style.text, 2);
}

void HeatMap::paintCell(QPainter& painter, const QRectF& rect, const SweepCell* cell,
                        const ChartStyle& style) const {
    const auto [low, high] = table_.range();
    const bool begun = cell && cell->problems_done > 0;
    const bool finished = begun && cell->problems_done >= cell->problems_total;
    const QColor fill = begun ? mapColor(map_, (cell->mean - low) / (high - low)) : style.background;
    painter.fillRect(rect, fill);
    QColor ink = begun ? inkOn(fill) : style.muted;
    if (!finished) {
        QColor hatch = ink;
        hatch.setAlphaF(begun ? 0.28f : 0.22f);
        painter.save();
        painter.setClipRect(rect, Qt::IntersectClip);
        painter.setPen(QPen(hatch, 1));
        for (double x = rect.left() - rect.height(); x < rect.right(); x += 6)
            painter.drawLine(QPointF(x, rect.bottom()), QPointF(x + rect.height(), rect.top()));
        painter.restore();
    }
    if (!begun) return;
    const QString text = scoreText(cell->mean);
    QFont font = style.font;
    if (QFontMetricsF(font).horizontalAdvance(QStringLiteral(".00")) + 2 > rect.width()
        || QFontMetricsF(font).ascent() > rect.height())
        font.setPixelSize(std::min(font.pixelSize(), ChartStyle::least_pixels));
    painter.setFont(font);
    const QFontMetricsF metrics(font);
    if (metrics.horizontalAdvance(text) + 2 <= rect.width() && metrics.ascent() <= rect.height()) {
        if (!finished) { // a quiet plate keeps the number readable over the hatching
            QRectF plate(0, 0, metrics.horizontalAdvance(text) + 4,
                         std::min(metrics.height(), rect.height()));
            plate.moveCenter(rect.center());
            painter.fillRect(plate, fill);
        }
        painter.setPen(ink);
        painter.drawText(rect, Qt::AlignCenter, text);
    }
    if (!finished && cell->problems_total > 0) {
        const double share = double(cell->problems_done) / double(cell->problems_total);
        QColor track = ink;
        track.setAlphaF(0.3f);
        const QRectF bar(rect.left() + 2, rect.bottom() - 4, rect.width() - 4, 2);
        painter.fillRect(bar, track);
        painter.fillRect(QRectF(bar.left(), bar.top(), bar.width() * share, bar.height()), ink);
    }
}

void HeatMap::paintAxes(QPainter& painter, const Geometry& g, const ChartStyle& style) const {
    const QFontMetricsF metrics(style.font);
    painter.setPen(style.muted);
    const int rows = int(table_.counts().size());
    const int every_row = std::max(1, int(std::ceil(metrics.height() / g.cell_height)));
    for (int row = 0; row < rows; row += every_row) {
        const QRectF cell = g.at(0, row, rows);
        painter.drawText(
            QRectF(0, cell.center().y() - metrics.height(), g.cells.left() - 6, metrics.height() * 2),
            Qt::AlignRight | Qt::AlignVCenter, QString::number(table_.counts()[std::size_t(row)]));
    }
    const int every_column =
        std::max(1, int(std::ceil((metrics.horizontalAdvance(QStringLiteral("0.0")) + 6) / g.cell_width)));
    for (int column = 0; column < int(table_.temperatures().size()); column += every_column) {
        const QRectF cell = g.at(column, 0, rows);
        painter.drawText(QRectF(cell.center().x() - 40, g.cells.bottom() + 4, 80, metrics.height()),
                         Qt::AlignCenter, temperatureText(table_.temperatures()[std::size_t(column)]));
    }
    painter.drawText(QRectF(g.cells.left(), g.cells.bottom() + 4 + metrics.height() + 2, g.cells.width(),
                            metrics.height()),
                     Qt::AlignCenter, tr("temperature"));
    painter.save();
    painter.translate(12, g.cells.center().y());
    painter.rotate(-90);
    painter.drawText(QRectF(-80, 0, 160, metrics.height()), Qt::AlignCenter, tr("N"));
    painter.restore();
}

void HeatMap::paintScale(QPainter& painter, const QSizeF& size, const Geometry& g,
                         const ChartStyle& style) const {
    Q_UNUSED(size)
    const QFontMetricsF metrics(style.font);
    const auto [low, high] = table_.range();
    const QRectF bar(g.cells.right() + 12, g.cells.top(), 8, g.cells.height());
    constexpr int steps = 48;
    for (int i = 0; i < steps; ++i)
        painter.fillRect(QRectF(bar.left(), bar.bottom() - (i + 1) * bar.height() / steps, bar.width(),
                                bar.height() / steps + 0.5),
                         mapColor(map_, (i + 0.5) / steps));
    painter.setPen(style.muted);
    const QRectF label(bar.right() + 4, 0, 60, metrics.height());
    painter.drawText(label.translated(0, bar.top() - metrics.descent()), Qt::AlignLeft | Qt::AlignTop,
                     scoreText(high));
    painter.drawText(label.translated(0, bar.bottom() - metrics.height() + metrics.descent()),
                     Qt::AlignLeft | Qt::AlignBottom, scoreText(low));
}

QString HeatMap::describe(const SweepCell& cell) const {
    if (cell.problems_done <= 0)
        return tr("T %1, N %2: not begun").arg(temperatureText(cell.temperature)).arg(cell.n);
    QString text = tr("T %1, N %2: %3 [%4, %5]")
                       .arg(temperatureText(cell.temperature))
                       .arg(cell.n)
                       .arg(scoreText(cell.mean), scoreText(cell.low), scoreText(cell.high));
    if (cell.problems_done < cell.problems_total)
        text += tr(", %1 of %2 problems").arg(cell.problems_done).arg(cell.problems_total);
    return text;
}

QString HeatMap::readout() const {
    const Place place = hovered_.valid() ? hovered_ : selected_;
    const SweepCell* cell = table_.at(place.column, place.row);
    return cell ? describe(*cell) : QString();
}

void HeatMap::mouseMoveEvent(QMouseEvent* event) {
    const Place place = placeAt(event->position());
    if (place == hovered_) return;
    hovered_ = place;
    const SweepCell* cell = table_.at(place.column, place.row);
    Q_EMIT cellHovered(cell ? cell->temperature : 0, cell ? cell->n : 0);
    update();
}

void HeatMap::leaveEvent(QEvent*) {
    hovered_ = {};
    Q_EMIT cellHovered(0, 0);
    update();
}

void HeatMap::mousePressEvent(QMouseEvent* event) {
    if (event->button() == Qt::LeftButton) pressed_ = placeAt(event->position());
}

void HeatMap::mouseReleaseEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) return;
    const Place place = placeAt(event->position());
    if (place.valid() && place == pressed_) open(place);
    pressed_ = {};
}

void HeatMap::open(Place place) {
    selected_ = place;
    updateAccessibleText();
    update();
    if (const SweepCell* cell = table_.at(place.column, place.row); cell && cell->problems_done > 0)
        Q_EMIT cellClicked(cell->temperature, cell->n);
}

void HeatMap::keyPressEvent(QKeyEvent* event) {
    Place next = selected_.valid() ? selected_ : Place{0, 0};
    switch (event->key()) {
    case Qt::Key_Left:
        --next.column;
        break;
    case Qt::Key_Right:
        ++next.column;
        break;
    case Qt::Key_Up:
        ++next.row;
        break;
    case Qt::Key_Down:
        --next.row;
        break;
    case Qt::Key_Return:
    case Qt::Key_Enter:
    case Qt::Key_Space:
        open(next);
        return;
    default:
        Chart::keyPressEvent(event);
        return;
    }
    if (!selected_.valid()) next = {0, 0};
    if (table_.at(next.column, next.row)) selected_ = next;
    updateAccessibleText();
    update();
}

bool HeatMap::event(QEvent* event) {
    if (event->type() == QEvent::FocusIn || event->type() == QEvent::FocusOut) update();
    if (event->type() != QEvent::ToolTip) return Chart::event(event);
    const auto* help = static_cast<QHelpEvent*>(event);
    const Place place = placeAt(help->pos());
    const SweepCell* cell = table_.at(place.column, place.row);
    if (cell)
        QToolTip::showText(help->globalPos(),
                           describe(*cell)
                               + tr("\n95 % bootstrap interval over problems. Click to read its samples."),
                           this);
    else
        QToolTip::hideText();
    return true;
}

QString HeatMap::csv() const {
    QString text = QStringLiteral("n");
    for (const double temperature : table_.temperatures())
        text += u',' + QString::number(temperature, 'g', 10);
    text += u'\n';
    for (int row = 0; row < int(table_.counts().size()); ++row) {
        text += QString::number(table_.counts()[std::size_t(row)]);
        for (int column = 0; column < int(table_.temperatures().size()); ++column) {
            const SweepCell* cell = table_.at(column, row);
            text += u',';
            if (cell && cell->problems_done > 0) text += QString::number(cell->mean, 'g', 10);
        }
        text += u'\n';
    }
    return text;
}

QString HeatMap::summary() const {
    const SweepCell* best = table_.best();
    if (!best) return tr("No cell is scored yet.");
    QString text = tr("Heat map of %1 temperatures by %2 values of N. Best: %3.")
                       .arg(table_.temperatures().size())
                       .arg(table_.counts().size())
                       .arg(describe(*best));
    if (const SweepCell* cell = table_.at(selected_.column, selected_.row))
        text += tr(" Chosen: %1.").arg(describe(*cell));
    return text;
}

} // namespace tempera
