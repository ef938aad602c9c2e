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
    QString summary; ///< left out where the text would keep less than half of the row
    QColor summary_color;
    bool bold = false;
    bool heading = false;       ///< not to be chosen: never tinted
    bool summary_spare = false; ///< the symbol says the same: left out where the text needs its room
};

/// The ground of a row that is chosen or pointed at.
void paintRowGround(QPainter& painter, const QStyleOptionViewItem& option, const QRect& place);
/// A thin line, filled from the left up to `share`, 0 to 1.
void paintShare(QPainter& painter, const QRectF& line, double share, const QColor& color);

void paintListRow(QPainter& painter, const QStyleOptionViewItem& option, const ListRow& row);
/// Where the text of a row with a symbol begins, from the row's left edge.
int listTextLeft(const QStyleOptionViewItem& option);
/// Its height by the 4 px grid and the font.
int listRowHeight(const QStyleOptionViewItem& option);

} // namespace tempera
