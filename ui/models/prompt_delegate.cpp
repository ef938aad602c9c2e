#include "ui/models/prompt_delegate.h"

#include "ui/models/list_row.h"
#include "ui/theme/text.h"
#include "ui/theme/theme.h"

#include <QPainter>

namespace tempera {

void PromptDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option,
                           const QModelIndex& index) const {
    const Theme& theme = Theme::current();
    const QString result = index.data(PromptResultRole).toString();
    const bool good = index.data(PromptGoodRole).toBool();
    const double share = index.data(PromptShareRole).toDouble();
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    const QRect row = option.rect.adjusted(8, 1, -4, -1);
    paintRowGround(*painter, option, row);
    painter->setFont(tabularFont(option.font));
    const int result_width = painter->fontMetrics().horizontalAdvance(result);
    painter->setPen(good ? theme.done : theme.muted);
    painter->drawText(row.adjusted(0, 0, -6, -2), Qt::AlignRight | Qt::AlignVCenter, result);
    const QRect text = row.adjusted(8, 0, -result_width - 14, -2);
    painter->setPen(theme.text);
    painter->drawText(text, Qt::AlignLeft | Qt::AlignVCenter,
                      painter->fontMetrics().elidedText(index.data(Qt::DisplayRole).toString(),
                                                        Qt::ElideRight, text.width()));
    if (share >= 0) {
        const QRectF line(row.left() + 8, row.bottom() - 2, row.width() - 14, 2);
        paintShare(*painter, line, share, theme.done);
    }
    painter->restore();
}

QSize PromptDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex&) const {
    return {100, listRowHeight(option)};
}

} // namespace tempera
