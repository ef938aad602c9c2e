#include "ui/models/run_delegate.h"

#include "ui/models/run_tree_model.h"
#include "ui/theme/icons.h"
#include "ui/theme/text.h"
#include "ui/theme/theme.h"

#include <QPainter>

namespace tempera {

void RunDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option,
                        const QModelIndex& index) const {
    const Theme& theme = Theme::current();
    const bool study = index.data(RunTreeModel::IsStudyRole).toBool();
    const auto status = static_cast<RunStatus>(index.data(RunTreeModel::StatusRole).toInt());
    const QRect row = option.rect.adjusted(0, 1, -8, -1);
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    const bool selected = option.state & QStyle::State_Selected;
    if (selected || option.state & QStyle::State_MouseOver) {
        QColor fill = theme.accent;
        fill.setAlphaF(selected ? 0.16f : 0.06f);
        painter->setPen(option.state & QStyle::State_HasFocus ? QPen(theme.accent, 1) : QPen(Qt::NoPen));
        painter->setBrush(fill);
        painter->drawRoundedRect(QRectF(row).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
    }
    const QRect icon_rect(row.left() + 6, row.center().y() - 7, 16, 16);
    drawIcon(*painter, study ? QStringLiteral("study") : stateIconName(status), icon_rect,
             study ? theme.muted : theme.stateColor(status));

    const QString summary = index.data(RunTreeModel::SummaryRole).toString();
    QFont small = tabularFont(option.font);
    painter->setFont(small);
    const int summary_width = painter->fontMetrics().horizontalAdvance(summary);
    const QRect text_rect = row.adjusted(28, 0, -summary_width - 16, 0);
    painter->setPen(study ? theme.muted : theme.stateColor(status));
    painter->drawText(row.adjusted(0, 0, -6, 0), Qt::AlignRight | Qt::AlignVCenter, summary);
    QFont font = option.font;
    if (study) font.setWeight(QFont::DemiBold);
    painter->setFont(font);
    painter->setPen(theme.text);
    painter->drawText(text_rect, Qt::AlignLeft | Qt::AlignVCenter,
                      painter->fontMetrics().elidedText(index.data(Qt::DisplayRole).toString(),
                                                        Qt::ElideMiddle, text_rect.width()));
    if (const double progress = index.data(RunTreeModel::ProgressRole).toDouble(); progress >= 0) {
        const QRectF track(row.left() + 28, row.bottom() - 2, row.width() - 34, 2);
        painter->fillRect(track, theme.line);
        painter->fillRect(QRectF(track.left(), track.top(), track.width() * std::min(1.0, progress), 2),
                          theme.stateColor(status));
    }
    painter->restore();
}

QSize RunDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex&) const {
    return {120, std::max(28, option.fontMetrics.height() + 12)};
}

} // namespace tempera
