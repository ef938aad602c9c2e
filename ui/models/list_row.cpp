#include "ui/models/list_row.h"

#include "ui/theme/icons.h"
#include "ui/theme/text.h"
#include "ui/theme/theme.h"

#include <QPainter>
#include <QStyleOptionViewItem>

#include <algorithm>

namespace tempera {

void paintListRow(QPainter& painter, const QStyleOptionViewItem& option, const ListRow& row) {
    const Theme& theme = Theme::current();
    const QRect place = option.rect.adjusted(0, 1, -8, -1);
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    const bool selected = option.state & QStyle::State_Selected;
    if (!row.heading && (selected || option.state & QStyle::State_MouseOver)) {
        QColor fill = theme.accent;
        fill.setAlphaF(selected ? 0.16f : 0.06f);
        painter.setPen(option.state & QStyle::State_HasFocus ? QPen(theme.accent, 1) : QPen(Qt::NoPen));
        painter.setBrush(fill);
        painter.drawRoundedRect(QRectF(place).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
    }
    int left = 8;
    if (!row.symbol.isEmpty()) {
        drawIcon(painter, row.symbol, QRect(place.left() + 6, place.center().y() - 7, 16, 16),
                 row.symbol_color);
        left = 28;
    }
    painter.setFont(tabularFont(option.font));
    const int summary_width =
        row.summary.isEmpty() ? 0 : painter.fontMetrics().horizontalAdvance(row.summary) + 8;
    painter.setPen(row.summary_color);
    painter.drawText(place.adjusted(0, 0, -6, 0), Qt::AlignRight | Qt::AlignVCenter, row.summary);
    QFont font = option.font;
    if (row.bold) font.setWeight(QFont::DemiBold);
    painter.setFont(font);
    painter.setPen(row.text_color);
    const QRect text = place.adjusted(left, 0, -summary_width - 8, 0);
    painter.drawText(text, Qt::AlignLeft | Qt::AlignVCenter,
                     painter.fontMetrics().elidedText(row.text, Qt::ElideMiddle, text.width()));
    painter.restore();
}

int listRowHeight(const QStyleOptionViewItem& option) {
    return std::max(28, option.fontMetrics.height() + 12);
}

} // namespace tempera
