#include "ui/models/prompt_list_model.h"

#include "ui/models/prompt_delegate.h"
#include "ui/theme/text.h"

#include <algorithm>
#include <cmath>

namespace tempera {

namespace {

std::ptrdiff_t solvedOf(const std::vector<double>& scores) {
    return std::count_if(scores.begin(), scores.end(), [](double score) { return score >= 1; });
}

} // namespace

bool PromptListModel::accepts(VerdictFilter filter, const std::vector<double>& scores) {
    const auto solved = solvedOf(scores);
    switch (filter) {
    case VerdictFilter::all:
        return true;
    case VerdictFilter::solved:
        return solved > 0;
    case VerdictFilter::unsolved:
        return solved == 0;
    case VerdictFilter::mixed:
        return solved > 0 && solved < std::ptrdiff_t(scores.size());
    case VerdictFilter::no_answer:
        return std::any_of(scores.begin(), scores.end(), [](double score) { return score <= 0; });
    }
    return true;
}

std::vector<std::size_t> PromptListModel::visibleRows() const {
    std::vector<std::size_t> rows;
    for (std::size_t i = 0; i < prompts_->prompts.size(); ++i)
        if (accepts(filter_, prompts_->prompts[i].scores)) rows.push_back(i);
    return rows;
}

void PromptListModel::setPrompts(const PromptListPointer& prompts) {
    const bool same_prompts =
        prompts->query == prompts_->query && prompts->prompts.size() == prompts_->prompts.size();
    if (!same_prompts) {
        beginResetModel();
        prompts_ = prompts;
        visible_ = visibleRows();
        endResetModel();
        return;
    }
    prompts_ = prompts;
    show(visibleRows());
}

void PromptListModel::setFilter(VerdictFilter filter) {
    if (filter == filter_) return;
    filter_ = filter;
    show(visibleRows());
}

void PromptListModel::show(std::vector<std::size_t> rows) {
    if (rows == visible_) {
        if (!rows.empty()) Q_EMIT dataChanged(index(0), index(rowCount() - 1));
        return;
    }
    beginResetModel();
    visible_ = std::move(rows);
    endResetModel();
}

int PromptListModel::rowOf(std::int64_t prompt_index) const {
    for (std::size_t row = 0; row < visible_.size(); ++row)
        if (prompts_->prompts[visible_[row]].index == prompt_index) return static_cast<int>(row);
    return -1;
}

std::int64_t PromptListModel::promptAt(int row) const {
    return row >= 0 && row < rowCount() ? prompts_->prompts[visible_[static_cast<std::size_t>(row)]].index
                                        : -1;
}

int PromptListModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(visible_.size());
}

/// Of scores that are no verdicts: the best and the worst, which make the pair where they differ.
QVariant PromptListModel::scoreData(const PromptSummary& prompt, int role) {
    std::vector<double> scores;
    for (const double score : prompt.scores)
        if (std::isfinite(score)) scores.push_back(score);
    const auto [worst, best] = std::minmax_element(scores.begin(), scores.end());
    switch (role) {
    case Qt::AccessibleTextRole:
        return scores.empty()
                   ? tr("Prompt %1: %2, no sample scored").arg(prompt.index + 1).arg(prompt.label)
                   : tr("Prompt %1: %2, scores of %3 samples from %4 to %5")
                         .arg(QString::number(prompt.index + 1), prompt.label, QString::number(scores.size()),
                              numberText(*worst), numberText(*best));
    case PromptResultRole:
        return scores.empty() ? QStringLiteral("–") : numberText(*best);
    case PromptGoodRole:
        return !scores.empty() && *best > *worst;
    case PromptShareRole:
        return -1.0;
    case CountRole:
        return int(prompt.scores.size());
    default:
        return {};
    }
}

QVariant PromptListModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || index.row() >= rowCount()) return {};
    const PromptSummary& prompt = prompts_->prompts[visible_[static_cast<std::size_t>(index.row())]];
    if (scoring_ == Scoring::free && role != Qt::DisplayRole && role != Qt::ToolTipRole && role != IndexRole)
        return scoreData(prompt, role);
    const auto solved = solvedOf(prompt.scores);
    switch (role) {
    case Qt::DisplayRole:
        return prompt.label;
    case Qt::ToolTipRole:
        return tipText(data(index, Qt::AccessibleTextRole).toString());
    case Qt::AccessibleTextRole:
        return tr("Prompt %1: %2, %3 of %4 samples right")
            .arg(QString::number(prompt.index + 1), prompt.label, QString::number(solved),
                 QString::number(prompt.scores.size())); // at once: a label may hold a "%3"
    case IndexRole:
        return qlonglong(prompt.index);
    case PromptResultRole:
        return QStringLiteral("%1/%2").arg(solved).arg(prompt.scores.size());
    case PromptGoodRole:
        return solved > 0;
    case PromptShareRole:
        return prompt.scores.empty() ? -1.0 : double(solved) / double(prompt.scores.size());
    case SolvedRole:
        return int(solved);
    case CountRole:
        return int(prompt.scores.size());
    default:
        return {};
    }
}

} // namespace tempera
