#pragma once

#include "ui/feed_types.h"
#include "ui/models/scoring.h"

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
    /// What is told of a prompt: how many samples are right, or the best score.
    void setScoring(Scoring scoring) { scoring_ = scoring; }
    /// Row of the prompt with this index, -1 where it is filtered out.
    int rowOf(std::int64_t prompt_index) const;
    std::int64_t promptAt(int row) const;

    static bool accepts(VerdictFilter filter, const std::vector<double>& scores);

    int rowCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;

private:
    static QVariant scoreData(const PromptSummary& prompt, int role);
    std::vector<std::size_t> visibleRows() const;
    void show(std::vector<std::size_t> rows);

    PromptListPointer prompts_ = std::make_shared<PromptList>();
    VerdictFilter filter_ = VerdictFilter::all;
    Scoring scoring_ = Scoring::verdict;
    std::vector<std::size_t> visible_;
};

} // namespace tempera
