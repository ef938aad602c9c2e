#pragma once

#include "ui/feed_types.h"

#include <QAbstractListModel>
#include <QString>

namespace tempera {

enum class ComparisonOrder { worst, best, prompt };
enum class ComparisonFilter { all, wins, ties, losses };

/// The prompts of a win-rate evaluation by how much the tuned score is above the base's; those without both
/// scores come last.
class ComparisonListModel final : public QAbstractListModel {
    Q_OBJECT

public:
    using QAbstractListModel::QAbstractListModel;

    void setComparisons(const ComparisonsPointer& comparisons);
    void setOrder(ComparisonOrder order);
    void setFilter(ComparisonFilter filter);
    /// Only those with this text in the prompt or a reply, in any case.
    void setSearch(const QString& text);
    const Comparison* at(int row) const;
    int rowOf(std::int64_t prompt_index) const;

    int rowCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;

private:
    void rebuild();
    bool accepts(const Comparison& comparison) const;

    ComparisonsPointer comparisons_ = std::make_shared<std::vector<Comparison>>();
    ComparisonOrder order_ = ComparisonOrder::worst;
    ComparisonFilter filter_ = ComparisonFilter::all;
    QString search_;
    std::vector<std::size_t> rows_;
};

} // namespace tempera
