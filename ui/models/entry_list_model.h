#pragma once

#include <QAbstractListModel>
#include <QStyledItemDelegate>

#include <vector>

namespace tempera {

/// A line of the list beside a page.
struct Entry {
    QString key;     ///< what it stands for
    QString heading; ///< entries of one heading follow each other
    QString text;
    QString summary; ///< a few words at the right
    QString symbol;  ///< an icon's name
    bool warning = false;
    QString tip;
    QString words; ///< what a search finds beside text and heading
    bool operator==(const Entry&) const = default;
};

/// Entries under their headings, filtered by a search. The same keys in the same order keep the selection.
class EntryListModel final : public QAbstractListModel {
    Q_OBJECT

public:
    enum Role { KeyRole = Qt::UserRole + 1, HeadingRole, SummaryRole, SymbolRole, WarningRole };

    using QAbstractListModel::QAbstractListModel;

    void setEntries(std::vector<Entry> entries);
    void setSearch(const QString& search);
    /// -1 where the search hides it, or there is none.
    int rowOf(const QString& key) const;
    /// "" for a heading.
    QString keyAt(int row) const;

    int rowCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    Qt::ItemFlags flags(const QModelIndex& index) const override;

private:
    /// Headings are entries without a key.
    std::vector<Entry> visible() const;
    void show();

    std::vector<Entry> entries_, rows_;
    QString search_;
};

class EntryDelegate final : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option,
               const QModelIndex& index) const override;
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;
};

} // namespace tempera
