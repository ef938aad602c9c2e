#include "ui/models/comparison_list_model.h"

#include "ui/models/prompt_delegate.h"
#include "ui/theme/text.h"

#include <algorithm>
#include <cmath>

namespace tempera {

namespace {

/// NaN where a side has no score.
double differenceOf(const Comparison& comparison) {
    return comparison.tuned.score - comparison.base.score;
}

} // namespace

void ComparisonListModel::setComparisons(const ComparisonsPointer& comparisons) {
    if (comparisons == comparisons_) return;
    comparisons_ = comparisons;
    rebuild();
}

void ComparisonListModel::setOrder(ComparisonOrder order) {
    order_ = order;
    rebuild();
}

void ComparisonListModel::setFilter(ComparisonFilter filter) {
    filter_ = filter;
    rebuild();
}

void ComparisonListModel::setSearch(const QString& text) {
    search_ = text;
    rebuild();
}

bool ComparisonListModel::accepts(const Comparison& comparison) const {
    const double difference = differenceOf(comparison);
    switch (filter_) {
    case ComparisonFilter::wins:
        if (!(difference > 0)) return false;
        break;
    case ComparisonFilter::ties:
        if (difference != 0) return false;
        break;
    case ComparisonFilter::losses:
        if (!(difference < 0)) return false;
        break;
    case ComparisonFilter::all:
        break;
    }
    if (search_.isEmpty()) return true;
    for (const std::string* text : {&comparison.prompt, &comparison.base.text, &comparison.tuned.text})
        if (toQt(*text).contains(search_, Qt::CaseInsensitive)) return true;
    return false;
}

void ComparisonListModel::rebuild() {
    beginResetModel();
    rows_.clear();
    for (std::size_t i = 0; i < comparisons_->size(); ++i)
        if (accepts((*comparisons_)[i])) rows_.push_back(i);
    if (order_ != ComparisonOrder::prompt)
        std::stable_sort(rows_.begin(), rows_.end(), [this](std::size_t a, std::size_t b) {
            const double x = differenceOf((*comparisons_)[a]), y = differenceOf((*comparisons_)[b]);
            if (std::isnan(x) || std::isnan(y)) return !std::isnan(x) && std::isnan(y);
            return order_ == ComparisonOrder::worst ? x < y : x > y;
        });
    endResetModel();
}

const Comparison* ComparisonListModel::at(int row) const {
    return row >= 0 && row < rowCount() ? &(*comparisons_)[rows_[static_cast<std::size_t>(row)]] : nullptr;
}

int ComparisonListModel::rowOf(std::int64_t prompt_index) const {
    for (int row = 0; row < rowCount(); ++row)
        if (at(row)->prompt_index == prompt_index) return row;
    return -1;
}

int ComparisonListModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(rows_.size());
}

QVariant ComparisonListModel::data(const QModelIndex& index, int role) const {
    const Comparison* comparison = index.isValid() ? at(index.row()) : nullptr;
    if (!comparison) return {};
    const double difference = differenceOf(*comparison);
    const QString label = promptLabel({comparison->prompt_index, comparison->prompt, comparison->facts});
    const QString result = std::isnan(difference) ? QStringLiteral("–")
                           : difference > 0       ? QString(u'+' + numberText(difference))
                           : difference < 0       ? numberText(difference)
                                                  : QStringLiteral("=");
    switch (role) {
    case Qt::DisplayRole:
        return label;
    case Qt::ToolTipRole:
        return tipText(data(index, Qt::AccessibleTextRole).toString());
    case Qt::AccessibleTextRole:
        return std::isnan(difference)
                   ? tr("Prompt %1: %2. A score is missing.").arg(comparison->prompt_index + 1).arg(label)
                   : tr("Prompt %1: %2. Base %3, tuned %4.")
                         .arg(comparison->prompt_index + 1)
                         .arg(label, numberText(comparison->base.score), numberText(comparison->tuned.score));
    case PromptResultRole:
        return result;
    case PromptGoodRole:
        return difference > 0;
    case PromptShareRole:
        return -1.0;
    default:
        return {};
    }
}

} // namespace tempera
