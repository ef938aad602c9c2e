#include "ui/models/run_tree_model.h"

#include "ui/theme/text.h"

#include <algorithm>

namespace tempera {

namespace {

// A top-level row has internal id 0; a stage has its study's row + 1.
constexpr quintptr top_level = 0;

QString tipOf(const RunRecord& run) {
    QStringList lines{runTitle(run), QStringLiteral("%1, %2").arg(toQt(run.kind), statusText(run.status))};
    if (run.progress.total > 0) lines << progressText(run.progress);
    if (run.started_ms > 0) lines << RunTreeModel::tr("started %1").arg(timeText(run.started_ms));
    for (const auto& [name, value] : run.headline)
        lines << QStringLiteral("%1 %2").arg(toQt(name), numberText(value));
    if (!run.error.empty()) lines << toQt(run.error);
    lines << RunTreeModel::tr("id %1").arg(toQt(run.id));
    return lines.join(u'\n');
}

} // namespace

std::vector<RunTreeModel::Entry> RunTreeModel::entriesOf(const Catalogue& catalogue) {
    std::vector<Entry> entries;
    std::map<std::string, std::size_t> places;
    for (const StudyRecord& study : catalogue.studies) {
        places[study.id] = entries.size();
        entries.push_back({study.id, toQt(study.name.empty() ? study.id : study.name), {}, study.created_ms});
    }
    for (const RunRecord& run : catalogue.runs) {
        const auto place = run.study.empty() ? places.end() : places.find(run.study);
        if (place == places.end())
            entries.push_back({{}, runTitle(run), {run}, run.created_ms});
        else
            entries[place->second].runs.push_back(run);
    }
    std::stable_sort(entries.begin(), entries.end(),
                     [](const Entry& a, const Entry& b) { return a.created_ms > b.created_ms; });
    return entries;
}

bool RunTreeModel::sameShape(const std::vector<Entry>& a, const std::vector<Entry>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Entry& x, const Entry& y) {
        return x.study_id == y.study_id
               && std::equal(x.runs.begin(), x.runs.end(), y.runs.begin(), y.runs.end(),
                             [](const RunRecord& r, const RunRecord& s) { return r.id == s.id; });
    });
}

void RunTreeModel::setCatalogue(const CataloguePointer& catalogue) {
    std::vector<Entry> next = entriesOf(*catalogue);
    if (!sameShape(next, entries_)) {
        beginResetModel();
        entries_ = std::move(next);
        endResetModel();
        return;
    }
    entries_ = std::move(next);
    if (entries_.empty()) return;
    Q_EMIT dataChanged(index(0, 0), index(rowCount() - 1, 0));
    for (int row = 0; row < rowCount(); ++row) {
        const QModelIndex parent = index(row, 0);
        if (const int stages = rowCount(parent); stages > 0)
            Q_EMIT dataChanged(index(0, 0, parent), index(stages - 1, 0, parent));
    }
}

QModelIndex RunTreeModel::index(int row, int column, const QModelIndex& parent) const {
    if (column != 0 || row < 0 || row >= rowCount(parent)) return {};
    return createIndex(row, 0, parent.isValid() ? quintptr(parent.row()) + 1 : top_level);
}

QModelIndex RunTreeModel::parent(const QModelIndex& child) const {
    if (!child.isValid() || child.internalId() == top_level) return {};
    return createIndex(static_cast<int>(child.internalId() - 1), 0, top_level);
}

int RunTreeModel::rowCount(const QModelIndex& parent) const {
    if (!parent.isValid()) return static_cast<int>(entries_.size());
    if (parent.internalId() != top_level || parent.column() != 0) return 0;
    const Entry& entry = entries_[static_cast<std::size_t>(parent.row())];
    return entry.study_id.empty() ? 0 : static_cast<int>(entry.runs.size());
}

int RunTreeModel::columnCount(const QModelIndex&) const {
    return 1;
}

QVariant RunTreeModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid()) return {};
    if (index.internalId() != top_level)
        return runData(entries_[index.internalId() - 1].runs[static_cast<std::size_t>(index.row())], true,
                       role);
    const Entry& entry = entries_[static_cast<std::size_t>(index.row())];
    return entry.study_id.empty() ? runData(entry.runs.front(), false, role) : studyData(entry, role);
}

QVariant RunTreeModel::runData(const RunRecord& run, bool in_study, int role) const {
    const bool moving = run.status == RunStatus::running || run.status == RunStatus::stopping;
    switch (role) {
    case Qt::DisplayRole:
        return in_study && !run.stage.empty() ? toQt(run.stage) : runTitle(run);
    case Qt::ToolTipRole:
        return tipText(tipOf(run));
    case Qt::AccessibleTextRole:
        return QStringLiteral("%1, %2, %3").arg(runTitle(run), statusText(run.status), runSummary(run));
    case IdRole:
        return toQt(run.id);
    case IsStudyRole:
        return false;
    case StatusRole:
        return static_cast<int>(run.status);
    case SummaryRole:
        return runSummary(run);
    case ProgressRole:
        return moving && run.progress.total > 0 ? double(run.progress.done) / double(run.progress.total)
                                                : -1.0;
    case KindRole:
        return toQt(run.kind);
    case SearchRole: {
        QStringList words{toQt(run.id),   toQt(run.name),         toQt(run.stage),
                          toQt(run.kind), statusText(run.status), toQt(run.notes)};
        for (const std::string& tag : run.tags)
            words << toQt(tag);
        return words.join(u' ');
    }
    default:
        return {};
    }
}

const RunRecord* RunTreeModel::tellingRun(const Entry& entry) {
    const RunRecord* telling = nullptr;
    for (const RunRecord& run : entry.runs) {
        if (run.status == RunStatus::running || run.status == RunStatus::stopping) return &run;
        if (run.status == RunStatus::failed)
            telling = &run;
        else if (!telling || (telling->status != RunStatus::failed && run.started_ms > 0))
            telling = &run;
    }
    return telling;
}

QVariant RunTreeModel::studyData(const Entry& entry, int role) const {
    const RunRecord* telling = tellingRun(entry);
    const auto finished = std::count_if(entry.runs.begin(), entry.runs.end(), [](const RunRecord& run) {
        return run.status == RunStatus::finished;
    });
    const QString summary = finished == std::ptrdiff_t(entry.runs.size())
                                ? tr("finished")
                                : tr("%1 of %2").arg(finished).arg(entry.runs.size());
    switch (role) {
    case Qt::DisplayRole:
        return entry.title;
    case Qt::ToolTipRole:
        return tipText(entry.title);
    case Qt::AccessibleTextRole:
        return tr("Study %1, %2").arg(entry.title, summary);
    case IdRole:
        return toQt(entry.study_id);
    case IsStudyRole:
        return true;
    case StatusRole:
        return static_cast<int>(telling ? telling->status : RunStatus::queued);
    case SummaryRole:
        return summary;
    case ProgressRole:
        return -1.0;
    case SearchRole:
        return entry.title;
    default:
        return {};
    }
}

QModelIndex RunTreeModel::indexOfRun(const std::string& run_id) const {
    for (std::size_t e = 0; e < entries_.size(); ++e)
        for (std::size_t r = 0; r < entries_[e].runs.size(); ++r)
            if (entries_[e].runs[r].id == run_id) {
                const QModelIndex top = index(static_cast<int>(e), 0);
                return entries_[e].study_id.empty() ? top : index(static_cast<int>(r), 0, top);
            }
    return {};
}

std::string RunTreeModel::runAt(const QModelIndex& index) const {
    if (!index.isValid()) return {};
    if (index.internalId() != top_level)
        return entries_[index.internalId() - 1].runs[static_cast<std::size_t>(index.row())].id;
    const RunRecord* run = tellingRun(entries_[static_cast<std::size_t>(index.row())]);
    return run ? run->id : std::string();
}

} // namespace tempera
