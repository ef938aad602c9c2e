#include "ui/models/run_delegate.h"

#include "ui/models/list_row.h"
#include "ui/models/run_tree_model.h"
#include "ui/theme/icons.h"
#include "ui/theme/text.h"
#include "ui/theme/theme.h"

namespace tempera {

void RunDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option,
                        const QModelIndex& index) const {
    const Theme& theme = Theme::current();
    const bool study = index.data(RunTreeModel::IsStudyRole).toBool();
    const auto status = static_cast<RunStatus>(index.data(RunTreeModel::StatusRole).toInt());
    ListRow row;
    row.symbol = study ? QStringLiteral("study") : stateIconName(status);
    row.symbol_color = study ? theme.muted : theme.stateColor(status);
    row.text = index.data(Qt::DisplayRole).toString();
    row.text_color = theme.text;
    row.bold = study;
    row.summary = index.data(RunTreeModel::SummaryRole).toString();
    row.summary_color = row.symbol_color;
    row.summary_spare = !study && row.summary == statusText(status);
    paintListRow(*painter, option, row);
    if (const double progress = index.data(RunTreeModel::ProgressRole).toDouble(); progress >= 0) {
        const int left = listTextLeft(option);
        const QRectF line(option.rect.left() + left, option.rect.bottom() - 3,
                          option.rect.width() - left - 14, 2);
        paintShare(*painter, line, progress, theme.stateColor(status));
    }
}

QSize RunDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex&) const {
    return {120, listRowHeight(option)};
}

} // namespace tempera
