#pragma once

#include "ui/feed_types.h"
#include "ui/models/rollout_list_model.h"

#include <QTimer>
#include <QWidget>

class QCheckBox;
class QLabel;
class QSlider;
class QStackedWidget;
class QToolButton;

namespace tempera {

class CardBrowser;
class EmptyState;

/// What training drew: the groups of one step at the left, one prompt's completions side by side with reward,
/// baseline, advantage and KL; a slider goes through the steps and follows the newest one until it is moved.
/// Keys as CardBrowser's, and square brackets or Page Up and Down: step; N: newest.
class RolloutsPage final : public QWidget {
    Q_OBJECT

public:
    explicit RolloutsPage(QWidget* parent = nullptr);

    /// Which run the data that follow are of.
    void setRun(const RunRecord& run);
    void setData(const RunDataPointer& data);
    void setRollouts(const RolloutSetPointer& rollouts);
    std::int64_t step() const; ///< the chosen one, -1 = none
    QSlider* slider() const { return slider_; }
    QCheckBox* followBox() const { return follow_; }
    CardBrowser* browser() const { return browser_; }

Q_SIGNALS:
    void rolloutsWanted(const QString& run_id, qint64 step);

protected:
    void showEvent(QShowEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    QWidget* buildTools();
    bool pageKey(int key);
    void moveStep(int by);
    void stepChosen();
    void showGroup();
    void ask();

    RunDataPointer data_;
    RolloutSetPointer rollouts_;
    std::int64_t asked_step_ = -1;
    double kl_coef_ = 0; ///< of the KL in the rewards
    RolloutListModel* model_;
    QSlider* slider_;
    QLabel* step_label_;
    QToolButton *previous_, *next_;
    QCheckBox* follow_;
    CardBrowser* browser_;
    QStackedWidget* stack_;
    EmptyState* empty_;
    QTimer ask_timer_; ///< while the slider is dragged only the place it rests at is read
};

} // namespace tempera
