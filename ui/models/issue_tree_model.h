#pragma once

#include "core/data/validation.h"

#include <QAbstractItemModel>

#include <memory>

namespace tempera {

/// What a check found: a line an issue with its count, below it the rows it was found in.
class IssueTreeModel final : public QAbstractItemModel {
    Q_OBJECT

public:
    using QAbstractItemModel::QAbstractItemModel;

    void setReport(const std::shared_ptr<const ValidationReport>& report);
    /// The row of the split that a line stands for, -1 = an issue's own line.
    std::int64_t rowAt(const QModelIndex& index) const;

    QModelIndex index(int row, int column, const QModelIndex& parent = {}) const override;
    QModelIndex parent(const QModelIndex& child) const override;
    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;

private:
    const IssueReport& issue(int row) const { return report_->issues[std::size_t(row)]; }
    /// Lines below an issue: its rows, and one more where not all are listed.
    int linesOf(const IssueReport& issue) const;
    QString lineText(const IssueReport& issue, int line) const;
    /// Without the file's name where all rows are of that file: what is the matter is read first.
    QString shortText(const IssueReport& issue, int line) const;

    std::shared_ptr<const ValidationReport> report_;
    QString one_source_; ///< "" = the rows are of several files
};

} // namespace tempera
