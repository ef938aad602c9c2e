#pragma once

#include <QStyledItemDelegate>

namespace tempera {

/// A row of the run list: state icon in its colour, name (elided), what it came to at the right in tabular
/// figures, and a thin line of progress while it runs.
class RunDelegate final : public QStyledItemDelegate {
    Q_OBJECT

public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option,
               const QModelIndex& index) const override;
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;
};

} // namespace tempera
