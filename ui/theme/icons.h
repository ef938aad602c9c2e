#pragma once

#include "core/store/records.h"

#include <QIcon>
#include <QString>

class QPainter;

namespace tempera {

/// One of the project's line icons (resources/icons/NAME.svg). Drawn at paint time in the palette's text
/// colour (dimmed when disabled), or in `color` where it is valid, so it follows the scheme and the screen's
/// scale.
QIcon icon(const QString& name, const QColor& color = QColor());

void drawIcon(QPainter& painter, const QString& name, const QRectF& where, const QColor& color);

/// "state-running", "state-finished" ...: the shape that stands beside the state's colour.
QString stateIconName(RunStatus status);
/// "verdict-right", "verdict-wrong" or "verdict-none" for a score of 1, between, or 0.
QString verdictIconName(double score);

} // namespace tempera
