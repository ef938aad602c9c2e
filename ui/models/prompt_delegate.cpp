#include "ui/models/prompt_delegate.h"

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
    const bool selected = option.state & QStyle::State_Selected;
    if (selected || option.state & QStyle::State_MouseOver) {
        QColor fill = theme.accent;
        fill.setAlphaF(selected ? 0.16f : 0.06f);
        painter->setPen(option.state & QStyle::State_HasFocus ? QPen(theme.accent, 1) : QPen(Qt::NoPen));
        painter->setBrush(fill);
        painter->drawRoundedRect(QRectF(row).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
    }
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
        const QRectF track(row.left() + 8, row.bottom() - 2, row.width() - 14, 2);
        painter->fillRect(track, theme.line);
        painter->fillRect(QRectF(track.left(), track.top(), track.width() * share, 2), theme.done);
    }
    painter->restore();
}

QSize PromptDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex&) const {
    return {100, std::max(28, option.fontMetrics.height() + 12)};
}

} // namespace tempera
