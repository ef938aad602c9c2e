#include "ui/models/row_table_model.h"

#include "ui/theme/text.h"
#include "ui/theme/theme.h"

#include <algorithm>

namespace tempera {

RowTableModel::RowTableModel(QObject* parent) : QAbstractTableModel(parent) {
    ask_timer_.setSingleShot(true);
    ask_timer_.setInterval(0);
    connect(&ask_timer_, &QTimer::timeout, this, [this] {
        for (const int block : std::exchange(wanted_, {}))
            Q_EMIT rowsWanted(qint64(block) * block_rows, block_rows);
    });
}

void RowTableModel::setColumns(const std::vector<DataColumn>& columns) {
    beginResetModel();
    columns_ = columns;
    if (columns_.empty())
        columns_.push_back({fromQt(tr("row")), "text", ""}); // its rows' problems stand there
    count_ = 0;
    blocks_.clear();
    asked_.clear();
    wanted_.clear();
    endResetModel();
}

void RowTableModel::setCount(std::int64_t rows) {
    const int now = int(std::min<std::int64_t>(rows, most_rows));
    if (now <= count_) return;
    // A block that was read before it was full has to be read again.
    const int last = (count_ - 1) / block_rows;
    if (count_ > 0 && count_ % block_rows != 0) {
        blocks_.erase(last);
        asked_.remove(last);
    }
    beginInsertRows({}, count_, now - 1);
    count_ = now;
    endInsertRows();
}

void RowTableModel::setRows(std::int64_t offset, const std::vector<JsonRow>& rows) {
    const int number = int(offset / block_rows);
    asked_.remove(number);
    const int first = number * block_rows;
    if (first >= count_ || columns_.empty()) return; // before the first setColumns()
    Block block;
    block.used = ++clock_;
    for (const JsonRow& row : rows) {
        Row shown;
        shown.problem = toQt(row.problem);
        for (const DataColumn& column : columns_) {
            const auto value = row.value.is_object() ? row.value.find(column.name) : row.value.end();
            shown.cells.push_back(row.value.is_object() && value != row.value.end() ? cell_text(*value)
                                                                                    : QString());
        }
        block.rows.push_back(std::move(shown));
    }
    blocks_[number] = std::move(block);
    evict();
    const int end = std::min(first + int(rows.size()), count_);
    if (end > first) Q_EMIT dataChanged(index(first, 0), index(end - 1, columnCount() - 1));
}

void RowTableModel::forget(std::int64_t offset) {
    asked_.remove(int(offset / block_rows));
}

void RowTableModel::evict() {
    while (blocks_.size() > most_blocks) {
        const auto oldest =
            std::min_element(blocks_.begin(), blocks_.end(),
                             [](const auto& a, const auto& b) { return a.second.used < b.second.used; });
        blocks_.erase(oldest);
    }
}

const RowTableModel::Row* RowTableModel::row(int index) const {
    const int number = index / block_rows;
    const auto block = blocks_.find(number);
    if (block != blocks_.end()) {
        block->second.used = ++clock_;
        const auto place = std::size_t(index % block_rows);
        return place < block->second.rows.size() ? &block->second.rows[place] : nullptr;
    }
    if (!asked_.contains(number)) {
        asked_.insert(number);
        wanted_.push_back(number);
        ask_timer_.start();
    }
    return nullptr;
}

int RowTableModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : count_;
}

int RowTableModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : int(columns_.size());
}

QVariant RowTableModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid()) return {};
    if (role == Qt::TextAlignmentRole) return alignmentOf(index.column());
    const bool asks = role == Qt::DisplayRole || role == Qt::ToolTipRole || role == ProblemRole
                      || role == Qt::ForegroundRole;
    if (!asks) return {};
    const Row* found = row(index.row());
    if (role == ProblemRole) return found ? found->problem : QString();
    if (role == Qt::ForegroundRole)
        return found && found->problem.isEmpty() ? QVariant() : QVariant(Theme::current().muted);
    if (!found) return role == Qt::DisplayRole ? QVariant(QStringLiteral("…")) : QVariant();
    if (!found->problem.isEmpty())
        return role == Qt::ToolTipRole || index.column() == 0 ? QVariant(found->problem) : QVariant();
    return found->cells[std::size_t(index.column())];
}

int RowTableModel::alignmentOf(int column) const {
    const std::string& type = columns_[std::size_t(column)].type;
    const bool number = type == "whole number" || type == "number";
    return int((number ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
}

QVariant RowTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation == Qt::Vertical) {
        if (role == Qt::TextAlignmentRole) return int(Qt::AlignRight | Qt::AlignVCenter);
        return role == Qt::DisplayRole ? QVariant(section + 1) : QVariant();
    }
    if (section < 0 || section >= int(columns_.size())) return {};
    const DataColumn& column = columns_[std::size_t(section)];
    if (role == Qt::DisplayRole) {
        constexpr int longest = 32; // a header that is styled cuts its text without an ellipsis
        const QString name = column.name.empty() ? tr("(no name)") : toQt(column.name);
        return name.size() > longest ? name.left(longest - 2) + u'…' : name;
    }
    if (role == Qt::ToolTipRole) return QStringLiteral("%1: %2").arg(toQt(column.name), toQt(column.type));
    if (role == Qt::TextAlignmentRole) return alignmentOf(section);
    return {};
}

} // namespace tempera
