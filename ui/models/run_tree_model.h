#pragma once

#include "ui/feed_types.h"

#include <QAbstractItemModel>

namespace tempera {

/// Studies with their stages, and runs that stand alone: the newest first at the top level, stages in their
/// order.
class RunTreeModel final : public QAbstractItemModel {
    Q_OBJECT

public:
    enum Role {
        IdRole = Qt::UserRole + 1, ///< run id, or study id for a study
        IsStudyRole,
        StatusRole,   ///< int(RunStatus); of a study: that of its most telling stage
        SummaryRole,  ///< "41 %", "queued", ".64"
        ProgressRole, ///< 0..1, -1 = none
        KindRole,
        SearchRole ///< everything a search looks through
    };

    using QAbstractItemModel::QAbstractItemModel;

    void setCatalogue(const CataloguePointer& catalogue);
    QModelIndex indexOfRun(const std::string& run_id) const;
    /// The run a row stands for: itself, or a study's stage that tells most (running, else newest started).
    std::string runAt(const QModelIndex& index) const;

    QModelIndex index(int row, int column, const QModelIndex& parent = {}) const override;
    QModelIndex parent(const QModelIndex& child) const override;
    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;

private:
    struct Entry {
        std::string study_id; ///< "" = a run that stands alone
        QString title;
        std::vector<RunRecord> runs;
        std::int64_t created_ms = 0;
    };
    static std::vector<Entry> entriesOf(const Catalogue& catalogue);
    static bool sameShape(const std::vector<Entry>& a, const std::vector<Entry>& b);
    static const RunRecord* tellingRun(const Entry& entry);
    QVariant runData(const RunRecord& run, bool in_study, int role) const;
    QVariant studyData(const Entry& entry, int role) const;

    std::vector<Entry> entries_;
};

} // namespace tempera
