#include "ui/models/rollout_list_model.h"

#include "ui/models/prompt_delegate.h"
#include "ui/theme/text.h"

#include <algorithm>
#include <cmath>

namespace tempera {

namespace {

struct GroupFacts {
    double mean = 0, deviation = 0;
    int above = 0, count = 0;
    bool moves = false; ///< an advantage is not 0: of equal rewards by their KL alone
    bool alike() const { return deviation < 1e-9; }
};

GroupFacts factsOf(const RolloutGroup& group) {
    GroupFacts facts;
    double square = 0;
    for (const RolloutSample& sample : group.samples) {
        if (!std::isfinite(sample.reward)) continue;
        facts.mean += sample.reward;
        square += sample.reward * sample.reward;
        facts.above += sample.advantage > 0;
        facts.moves |= sample.advantage != 0;
        ++facts.count;
    }
    if (facts.count == 0) return facts;
    facts.mean /= facts.count;
    facts.deviation = std::sqrt(std::max(0.0, square / facts.count - facts.mean * facts.mean));
    return facts;
}

} // namespace

void RolloutListModel::setRollouts(const RolloutSetPointer& rollouts) {
    if (rollouts->groups.size() == rollouts_->groups.size()) {
        // The chosen row stays: one looks at the same place of the rollout over the steps.
        rollouts_ = rollouts;
        if (rowCount() > 0) Q_EMIT dataChanged(index(0), index(rowCount() - 1));
        return;
    }
    beginResetModel();
    rollouts_ = rollouts;
    endResetModel();
}

const RolloutGroup* RolloutListModel::groupAt(int row) const {
    return row >= 0 && row < rowCount() ? &rollouts_->groups[static_cast<std::size_t>(row)] : nullptr;
}

int RolloutListModel::zeroVarianceGroups() const {
    return static_cast<int>(std::count_if(rollouts_->groups.begin(), rollouts_->groups.end(),
                                          [](const RolloutGroup& group) { return !factsOf(group).moves; }));
}

int RolloutListModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(rollouts_->groups.size());
}

QVariant RolloutListModel::data(const QModelIndex& index, int role) const {
    const RolloutGroup* group = index.isValid() ? groupAt(index.row()) : nullptr;
    if (!group) return {};
    const GroupFacts facts = factsOf(*group);
    const QString label = promptLabel({group->group, group->prompt, group->facts}, system_);
    const QString number = QString::number(group->group + 1);
    const bool flat = !facts.moves;
    switch (role) {
    case Qt::DisplayRole:
        return label;
    case Qt::ToolTipRole:
        return tipText(data(index, Qt::AccessibleTextRole).toString());
    case Qt::AccessibleTextRole:
        if (facts.count == 0) return tr("Group %1: %2. No completion has a reward.").arg(number, label);
        if (facts.alike())
            return (flat ? tr("Group %1: %2. All %3 rewards are %4: zero variance, it teaches nothing.")
                         : tr("Group %1: %2. All %3 rewards are %4: their KL alone tells them apart."))
                .arg(number, label, QString::number(facts.count), numberText(facts.mean));
        return flat ? tr("Group %1: %2. Mean reward %3, and every advantage is 0: it teaches nothing.")
                          .arg(number, label, numberText(facts.mean))
                    : tr("Group %1: %2. Mean reward %3, deviation %4, %5 of %6 above their baseline.")
                          .arg(number, label, numberText(facts.mean), numberText(facts.deviation),
                               QString::number(facts.above), QString::number(facts.count));
    case PromptResultRole:
        return facts.count > 0 ? scoreText(facts.mean) : QStringLiteral("–");
    case PromptGoodRole:
        return !flat;
    case PromptShareRole:
        return flat || facts.count == 0 ? -1.0 : double(facts.above) / facts.count;
    default:
        return {};
    }
}

} // namespace tempera
