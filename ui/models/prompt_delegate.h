#pragma once

#include <QStyledItemDelegate>

namespace tempera {

/// A row of the prompt list: the numbers and target, and how many of its samples are right.
class PromptDelegate final : public QStyledItemDelegate {
    Q_OBJECT

public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option,
               const QModelIndex& index) const override;
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;
};

} // namespace tempera
