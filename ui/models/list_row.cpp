#include "ui/models/list_row.h"

#include "ui/theme/icons.h"
#include "ui/theme/text.h"
#include "ui/theme/theme.h"

#include <QPainter>
#include <QStyleOptionViewItem>

#include <algorithm>

namespace tempera {

void paintRowGround(QPainter& painter, const QStyleOptionViewItem& option, const QRect& place) {
    const bool selected = option.state & QStyle::State_Selected;
    if (!selected && !(option.state & QStyle::State_MouseOver)) return;
    const Theme& theme = Theme::current();
    QColor fill = theme.tint();
    if (!selected) fill.setAlphaF(fill.alphaF() * 0.4f);
    painter.setPen(option.state & QStyle::State_HasFocus ? QPen(theme.accent, 1) : QPen(Qt::NoPen));
    painter.setBrush(fill);
    painter.drawRoundedRect(QRectF(place).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
}

void paintShare(QPainter& painter, const QRectF& line, double share, const QColor& color) {
    painter.fillRect(line, Theme::current().track);
    painter.fillRect(
        QRectF(line.left(), line.top(), line.width() * std::clamp(share, 0.0, 1.0), line.height()), color);
}

void paintListRow(QPainter& painter, const QStyleOptionViewItem& option, const ListRow& row) {
    const QRect place = option.rect.adjusted(0, 1, -8, -1);
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    if (!row.heading) paintRowGround(painter, option, place);
    int left = 8;
    if (!row.symbol.isEmpty()) {
        const int side = iconSide(option.font);
        drawIcon(painter, row.symbol,
                 QRect(place.left() + 6, place.center().y() - (side - 1) / 2, side, side), row.symbol_color);
        left = listTextLeft(option);
    }
    QFont font = option.font;
    if (row.bold) font.setWeight(QFont::DemiBold);
    const QFont figures = tabularFont(option.font);
    int summary_width = row.summary.isEmpty() ? 0 : QFontMetrics(figures).horizontalAdvance(row.summary) + 8;
    const int room = place.width() - left - 8;
    const int text_width = QFontMetrics(font).horizontalAdvance(row.text);
    const int least = row.summary_spare ? text_width : std::min(text_width, room / 2);
    if (least > room - summary_width) summary_width = 0; // the text tells the rows apart
    if (summary_width > 0) {
        painter.setFont(figures);
        painter.setPen(row.summary_color);
        painter.drawText(place.adjusted(0, 0, -6, 0), Qt::AlignRight | Qt::AlignVCenter, row.summary);
    }
    painter.setFont(font);
    painter.setPen(row.text_color);
    const QRect text = place.adjusted(left, 0, -summary_width - 8, 0);
    painter.drawText(text, Qt::AlignLeft | Qt::AlignVCenter,
                     painter.fontMetrics().elidedText(row.text, Qt::ElideMiddle, text.width()));
    painter.restore();
}

int listTextLeft(const QStyleOptionViewItem& option) {
    return iconSide(option.font) + 12;
}

int listRowHeight(const QStyleOptionViewItem& option) {
    return std::max(28, option.fontMetrics.height() + 12);
}

} // namespace tempera
