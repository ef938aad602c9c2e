#pragma once

#include "ui/feed_types.h"

#include <QAbstractListModel>

namespace tempera {

/// The groups of one rollout: prompt, mean reward, and how many of its completions are above their baseline.
class RolloutListModel final : public QAbstractListModel {
    Q_OBJECT

public:
    using QAbstractListModel::QAbstractListModel;

    /// The words that every prompt begins with: promptLabel() leaves them out.
    void setSystem(const QString& system) { system_ = system; }
    void setRollouts(const RolloutSetPointer& rollouts);
    const RolloutGroup* groupAt(int row) const;
    /// Groups of which no advantage comes, as the metric frac_reward_zero_std counts them: their rewards are
    /// all equal, and so is the KL that is taken off them.
    int zeroVarianceGroups() const;

    int rowCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;

private:
    QString system_;
    RolloutSetPointer rollouts_ = std::make_shared<RolloutSet>();
};

} // namespace tempera
