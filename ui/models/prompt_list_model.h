#pragma once

#include "ui/feed_types.h"

#include <QAbstractListModel>

namespace tempera {

/// Which prompts the list shows, by the verdicts of their samples.
enum class VerdictFilter { all, solved, unsolved, mixed, no_answer };

/// Prompts at one temperature with the scores of their samples, filtered by verdict.
class PromptListModel final : public QAbstractListModel {
    Q_OBJECT

public:
    enum Role { IndexRole = Qt::UserRole + 1, SolvedRole, CountRole };

    using QAbstractListModel::QAbstractListModel;

    void setPrompts(const PromptListPointer& prompts);
    void setFilter(VerdictFilter filter);
    /// Row of the prompt with this index, -1 where it is filtered out.
    int rowOf(std::int64_t prompt_index) const;
    std::int64_t promptAt(int row) const;

    static bool accepts(VerdictFilter filter, const std::vector<double>& scores);

    int rowCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;

private:
    std::vector<std::size_t> visibleRows() const;
    void show(std::vector<std::size_t> rows);

    PromptListPointer prompts_ = std::make_shared<PromptList>();
    VerdictFilter filter_ = VerdictFilter::all;
    std::vector<std::size_t> visible_;
};

} // namespace tempera
