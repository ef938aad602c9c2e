#pragma once

#include <QStyledItemDelegate>

namespace tempera {

/// What a PromptDelegate asks a list of prompts for.
enum PromptRole {
    PromptResultRole = Qt::UserRole + 101, ///< QString at the right: "3/10", "+1.25"
    PromptGoodRole,                        ///< bool: the result is good news
    PromptShareRole,                       ///< 0..1: the bar under the row; -1 = none
};

/// A row of a list of prompts: its label, a result at the right, a thin bar below.
class PromptDelegate final : public QStyledItemDelegate {
    Q_OBJECT

public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option,
               const QModelIndex& index) const override;
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;
};

} // namespace tempera
