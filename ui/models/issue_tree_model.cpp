#include "ui/models/issue_tree_model.h"

#include "ui/theme/icons.h"
#include "ui/theme/text.h"
#include "ui/theme/theme.h"

#include <QFont>

#include <set>
#include <string>

namespace tempera {

// An issue has internal id 0; a row below it has the issue's row + 1.

void IssueTreeModel::setReport(const std::shared_ptr<const ValidationReport>& report) {
    beginResetModel();
    report_ = report;
    std::set<std::string> sources;
    if (report)
        for (const IssueReport& issue : report->issues)
            for (const FlaggedRow& row : issue.rows)
                sources.insert(row.source);
    one_source_ = sources.size() == 1 ? toQt(*sources.begin()) : QString();
    endResetModel();
}

int IssueTreeModel::linesOf(const IssueReport& issue) const {
    const int listed = int(issue.rows.size());
    return issue.count > listed ? listed + 1 : listed;
}

QModelIndex IssueTreeModel::index(int row, int column, const QModelIndex& parent) const {
    if (column != 0 || row < 0 || row >= rowCount(parent)) return {};
    return createIndex(row, 0, parent.isValid() ? quintptr(parent.row()) + 1 : quintptr(0));
}

QModelIndex IssueTreeModel::parent(const QModelIndex& child) const {
    if (!child.isValid() || child.internalId() == 0) return {};
    return createIndex(int(child.internalId() - 1), 0, quintptr(0));
}

int IssueTreeModel::rowCount(const QModelIndex& parent) const {
    if (!report_) return 0;
    if (!parent.isValid()) return int(report_->issues.size());
    return parent.internalId() == 0 && parent.column() == 0 ? linesOf(issue(parent.row())) : 0;
}

int IssueTreeModel::columnCount(const QModelIndex&) const {
    return 1;
}

QString IssueTreeModel::lineText(const IssueReport& issue, int line) const {
    if (line >= int(issue.rows.size()))
        return tr("and %1 more").arg(issue.count - std::int64_t(issue.rows.size()));
    const FlaggedRow& row = issue.rows[std::size_t(line)];
    const QString place = tr("%1 row %2").arg(toQt(row.source)).arg(row.number);
    const QString note = toQt(row.note);
    if (note.startsWith(place)) return note; // an error names its place itself
    return note.isEmpty() ? place : QStringLiteral("%1: %2").arg(place, note);
}

/// By the number that the table shows; the tip has the file's own, which counts blank lines and a CSV's head.
QString IssueTreeModel::shortText(const IssueReport& issue, int line) const {
    const QString text = lineText(issue, line);
    if (line >= int(issue.rows.size())) return text;
    const FlaggedRow& row = issue.rows[std::size_t(line)];
    const qsizetype place = tr("%1 row %2").arg(toQt(row.source)).arg(row.number).size();
    const QString shown = one_source_.isEmpty() ? tr("row %1, %2").arg(row.index + 1).arg(toQt(row.source))
                                                : tr("row %1").arg(row.index + 1);
    return shown + text.mid(place);
}

QVariant IssueTreeModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid()) return {};
    if (index.internalId() != 0) {
        const IssueReport& of = issue(int(index.internalId() - 1));
        if (role == Qt::DisplayRole) return shortText(of, index.row());
        return role == Qt::ToolTipRole ? QVariant(lineText(of, index.row())) : QVariant();
    }
    const IssueReport& report = issue(index.row());
    const bool unusable = report.issue <= RowIssue::unknown_role;
    switch (role) {
    case Qt::DisplayRole:
        return tr("%1: %2").arg(toQt(words_of(report.issue))).arg(report.count);
    case Qt::ToolTipRole:
        return unusable ? tr("A run leaves these rows out") : tr("A run takes these rows all the same");
    case Qt::DecorationRole:
        return icon(QStringLiteral("warning"), unusable ? Theme::current().failed : Theme::current().paused);
    case Qt::FontRole: {
        QFont bold;
        bold.setWeight(QFont::DemiBold);
        return bold;
    }
    default:
        return {};
    }
}

std::int64_t IssueTreeModel::rowAt(const QModelIndex& index) const {
    if (!index.isValid() || index.internalId() == 0) return -1;
    const IssueReport& report = issue(int(index.internalId() - 1));
    return index.row() < int(report.rows.size()) ? report.rows[std::size_t(index.row())].index : -1;
}

} // namespace tempera
