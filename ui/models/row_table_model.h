#pragma once

#include "ui/data_types.h"

#include <QAbstractTableModel>
#include <QSet>
#include <QTimer>

#include <deque>
#include <map>

namespace tempera {

/// The rows of a split as a table. Only blocks of rows around what is looked at are held; a block that is
/// looked at and not there is asked for, and its cells are "…" until it comes.
class RowTableModel final : public QAbstractTableModel {
    Q_OBJECT

public:
    static constexpr int block_rows = 128;
    static constexpr std::size_t most_blocks = 96;
    /// More rows than this are counted, but not listed.
    static constexpr int most_rows = 10'000'000;

    enum Role { ProblemRole = Qt::UserRole + 1 };

    explicit RowTableModel(QObject* parent = nullptr);

    /// Another data set or split: no rows yet.
    void setColumns(const std::vector<DataColumn>& columns);
    /// So many rows are there; they only grow.
    void setCount(std::int64_t rows);
    void setRows(std::int64_t offset, const std::vector<JsonRow>& rows);
    /// That block will not come now: it is asked for again when it is looked at again.
    void forget(std::int64_t offset);
    std::size_t blockCount() const { return blocks_.size(); }

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

Q_SIGNALS:
    void rowsWanted(qint64 offset, int count);

private:
    struct Row {
        std::vector<QString> cells;
        QString problem;
    };
    struct Block {
        std::vector<Row> rows;
        mutable std::uint64_t used = 0; ///< when it was last looked at
    };
    /// Null where it is not there; it is then asked for.
    const Row* row(int index) const;
    void evict();
    int alignmentOf(int column) const; ///< numbers stand at the right

    std::vector<DataColumn> columns_;
    int count_ = 0;
    std::map<int, Block> blocks_; ///< by number
    mutable QSet<int> asked_;
    mutable std::vector<int> wanted_; ///< asked for in this turn of the event loop
    mutable std::uint64_t clock_ = 0;
    mutable QTimer ask_timer_;
};

} // namespace tempera
