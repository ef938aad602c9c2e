#pragma once

#include <QColor>
#include <QString>

class QPainter;
class QStyleOptionViewItem;

namespace tempera {

/// A line of a list beside a page: a symbol, a text that is cut in its middle where room is short, a few
/// words at the right.
struct ListRow {
    QString symbol; ///< an icon's name, "" = none
    QColor symbol_color;
    QString text;
    QColor text_color;
    QString summary;
    QColor summary_color;
    bool bold = false;
    bool heading = false; ///< not to be chosen: never tinted
};

void paintListRow(QPainter& painter, const QStyleOptionViewItem& option, const ListRow& row);
/// Its height by the 4 px grid and the font.
int listRowHeight(const QStyleOptionViewItem& option);

} // namespace tempera
