#include "ui/models/entry_list_model.h"

#include "ui/models/list_row.h"
#include "ui/theme/theme.h"

#include <QPainter>

#include <algorithm>

namespace tempera {

std::vector<Entry> EntryListModel::visible() const {
    std::vector<Entry> rows;
    QString heading;
    const QStringList words = search_.split(u' ', Qt::SkipEmptyParts);
    for (const Entry& entry : entries_) {
        const QString text = entry.text + u' ' + entry.heading + u' ' + entry.words;
        const bool found = std::all_of(words.begin(), words.end(), [&](const QString& word) {
            return text.contains(word, Qt::CaseInsensitive);
        });
        if (!found) continue;
        if (entry.heading != heading) {
            heading = entry.heading;
            Entry line;
            line.text = heading;
            rows.push_back(line);
        }
        rows.push_back(entry);
    }
    return rows;
}

void EntryListModel::show() {
    std::vector<Entry> rows = visible();
    const bool same =
        std::equal(rows_.begin(), rows_.end(), rows.begin(), rows.end(), [](const Entry& a, const Entry& b) {
            return a.key == b.key && (!a.key.isEmpty() || a.text == b.text);
        });
    if (!same) {
        beginResetModel();
        rows_ = std::move(rows);
        endResetModel();
        return;
    }
    for (std::size_t row = 0; row < rows.size(); ++row) {
        if (rows_[row] == rows[row]) continue;
        rows_[row] = std::move(rows[row]);
        Q_EMIT dataChanged(index(int(row)), index(int(row)));
    }
}

void EntryListModel::setEntries(std::vector<Entry> entries) {
    entries_ = std::move(entries);
    show();
}

void EntryListModel::setSearch(const QString& search) {
    search_ = search;
    show();
}

int EntryListModel::rowOf(const QString& key) const {
    const auto found = std::find_if(rows_.begin(), rows_.end(),
                                    [&](const Entry& row) { return !key.isEmpty() && row.key == key; });
    return found == rows_.end() ? -1 : int(found - rows_.begin());
}

QString EntryListModel::keyAt(int row) const {
    return row < 0 || row >= int(rows_.size()) ? QString() : rows_[std::size_t(row)].key;
}

int EntryListModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : int(rows_.size());
}

QVariant EntryListModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid()) return {};
    const Entry& row = rows_[std::size_t(index.row())];
    const bool heading = row.key.isEmpty();
    switch (role) {
    case Qt::DisplayRole:
        return row.text;
    case Qt::ToolTipRole:
        return row.tip;
    case Qt::AccessibleTextRole:
        return row.summary.isEmpty() ? row.text : QStringLiteral("%1, %2").arg(row.text, row.summary);
    case KeyRole:
        return row.key;
    case HeadingRole:
        return heading;
    case SummaryRole:
        return row.summary;
    case SymbolRole:
        return row.symbol;
    case WarningRole:
        return row.warning;
    default:
        return {};
    }
}

Qt::ItemFlags EntryListModel::flags(const QModelIndex& index) const {
    if (!index.isValid()) return Qt::NoItemFlags;
    if (keyAt(index.row()).isEmpty()) return Qt::ItemNeverHasChildren;
    return QAbstractListModel::flags(index) | Qt::ItemNeverHasChildren;
}

void EntryDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option,
                          const QModelIndex& index) const {
    const Theme& theme = Theme::current();
    ListRow row;
    row.text = index.data(Qt::DisplayRole).toString();
    row.heading = row.bold = index.data(EntryListModel::HeadingRole).toBool();
    row.text_color = row.heading ? theme.muted : theme.text;
    row.symbol = index.data(EntryListModel::SymbolRole).toString();
    row.symbol_color = index.data(EntryListModel::WarningRole).toBool() ? theme.paused : theme.muted;
    row.summary = index.data(EntryListModel::SummaryRole).toString();
    row.summary_color = theme.muted;
    row.summary_spare = index.data(EntryListModel::WarningRole).toBool();
    paintListRow(*painter, option, row);
}

QSize EntryDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex&) const {
    return {120, listRowHeight(option)};
}

} // namespace tempera
