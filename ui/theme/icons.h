#pragma once

#include "core/store/records.h"

#include <QIcon>
#include <QString>

class QFont;
class QPainter;
class QPixmap;
class QWidget;

namespace tempera {

/// One of the project's line icons (resources/icons/NAME.svg). Drawn at paint time in the palette's text
/// colour (dimmed when disabled), or in `color` where it is valid, so it follows the scheme and the screen's
/// scale.
QIcon icon(const QString& name, const QColor& color = QColor());

/// Side in pixels of an icon that stands beside text of that font: 16 at the usual size, and grows with it.
int iconSide(const QFont& font);

/// The icon at that size, for a label; `times` larger beside a heading.
QPixmap iconPixmap(const QWidget& widget, const QString& name, const QColor& color, double times = 1);

void drawIcon(QPainter& painter, const QString& name, const QRectF& where, const QColor& color);

/// "state-running", "state-finished" ...: the shape that stands beside the state's colour.
QString stateIconName(RunStatus status);

} // namespace tempera
