#include "ui/pages/rollouts_page.h"

#include "core/store/record_json.h"
#include "ui/pages/card_browser.h"
#include "ui/pages/card_row.h"
#include "ui/theme/icons.h"
#include "ui/theme/text.h"
#include "ui/widgets/empty_state.h"
#include "ui/widgets/reading_order.h"
#include "ui/widgets/tool_row.h"

#include <QCheckBox>
#include <QComboBox>
#include <QLabel>
#include <QListView>
#include <QPushButton>
#include <QSignalBlocker>
#include <QSlider>
#include <QStackedWidget>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>

namespace tempera {

RolloutsPage::RolloutsPage(QWidget* parent) : QWidget(parent), model_(new RolloutListModel(this)) {
    setObjectName(QStringLiteral("page"));
    setAttribute(Qt::WA_StyledBackground);
    browser_ = new CardBrowser(model_, tr("Groups of the step"), this);
    browser_->setPageKeys([this](int key) { return pageKey(key); });
    empty_ = new EmptyState({}, {}, this);
    stack_ = new QStackedWidget(this);
    stack_->addWidget(empty_);
    stack_->addWidget(browser_);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(buildTools());
    column->addWidget(stack_, 1);
    setReadingOrder(
        {slider_, previous_, next_, follow_, browser_->lensBox(), browser_->differenceButton(), browser_});
    ask_timer_.setSingleShot(true);
    ask_timer_.setInterval(40);
    connect(&ask_timer_, &QTimer::timeout, this, &RolloutsPage::ask);
    connect(slider_, &QSlider::valueChanged, this, &RolloutsPage::stepChosen);
    connect(slider_, &QSlider::actionTriggered, this, [this] { follow_->setChecked(false); });
    connect(previous_, &QToolButton::clicked, this, [this] { moveStep(-1); });
    connect(next_, &QToolButton::clicked, this, [this] { moveStep(1); });
    connect(follow_, &QCheckBox::toggled, this, [this](bool on) {
        if (on) slider_->setValue(slider_->maximum());
    });
    connect(browser_, &CardBrowser::currentChanged, this, &RolloutsPage::showGroup);
    connect(model_, &QAbstractItemModel::modelReset, this, [this] {
        if (model_->rowCount() > 0) browser_->list()->setCurrentIndex(model_->index(0));
    });
    connect(model_, &QAbstractItemModel::dataChanged, this, &RolloutsPage::showGroup);
    setFocusProxy(browser_);
}

QWidget* RolloutsPage::buildTools() {
    auto* tools = new QWidget(this);
    auto* row = new ToolRow(tools);
    const auto button = [&](const char* symbol, const QString& name, const QString& tip) {
        auto* made = new QToolButton(tools);
        made->setIcon(icon(QString::fromLatin1(symbol)));
        made->setAutoRaise(true);
        made->setAccessibleName(name);
        made->setToolTip(tip);
        return made;
    };
    slider_ = new QSlider(Qt::Horizontal, tools);
    slider_->setAccessibleName(tr("Step"));
    slider_->setMinimumWidth(120);
    slider_->setPageStep(10);
    slider_->setRange(0, 0);
    previous_ = button("previous", tr("Previous step"), tr("Previous stored step ([ or Page Up)"));
    next_ = button("next", tr("Next step"), tr("Next stored step (] or Page Down)"));
    step_label_ = new QLabel(tools);
    step_label_->setFont(tabularFont(font()));
    step_label_->setMinimumWidth(
        step_label_->fontMetrics().horizontalAdvance(tr("%1 (%2 of %3)").arg(99999).arg(9999).arg(9999)));
    follow_ = new QCheckBox(tr("&Newest"), tools);
    follow_->setChecked(true);
    follow_->setToolTip(tr("Go along with the run (N)"));
    row->addLabelled(tr("&Step"), {slider_, previous_, next_, step_label_});
    row->addWidget(follow_);
    row->addWidget(browser_->lensBox());
    row->addWidget(browser_->differenceButton());
    row->addWidget(browser_->positionLabel());
    return tools;
}

std::int64_t RolloutsPage::step() const {
    const int place = slider_->value();
    return data_ && place < int(data_->rollout_steps.size()) ? data_->rollout_steps[std::size_t(place)] : -1;
}

void RolloutsPage::setRun(const RunRecord& run) {
    empty_->setSentence(
        has_ended(run.status)
            ? tr("The run ended before it drew a completion.")
            : tr("The completions that training draws appear here, a prompt's group side by side, with what "
                 "their rewards and advantages were made of."));
    const Json coefficient = recipe_field(run, "kl_coef");
    const bool in_reward = recipe_text(run, "kl_in") == "reward" && coefficient.is_number();
    model_->setSystem(systemTurnOf(run));
    kl_coef_ = in_reward ? coefficient.get<double>() : 0;
}

void RolloutsPage::setData(const RunDataPointer& data) {
    const bool other = !data_ || data_->run_id != data->run_id;
    const std::int64_t kept = step();
    data_ = data;
    if (other) {
        asked_step_ = -1;
        rollouts_.reset();
        model_->setRollouts(std::make_shared<RolloutSet>());
        browser_->clear();
        follow_->setChecked(true);
    }
    const auto& steps = data->rollout_steps;
    const int last = std::max(0, int(steps.size()) - 1);
    {
        const QSignalBlocker quiet(slider_);
        slider_->setMaximum(last);
        const auto found = std::lower_bound(steps.begin(), steps.end(), kept);
        if (follow_->isChecked() || other)
            slider_->setValue(last);
        else
            slider_->setValue(std::min(last, int(found - steps.begin())));
    }
    stack_->setCurrentWidget(steps.empty() ? static_cast<QWidget*>(empty_) : browser_);
    stepChosen();
}

void RolloutsPage::stepChosen() {
    const std::int64_t now = step();
    const int count = data_ ? int(data_->rollout_steps.size()) : 0;
    step_label_->setText(now < 0 ? QString()
                                 : tr("%1 (%2 of %3)").arg(now).arg(slider_->value() + 1).arg(count));
    slider_->setEnabled(count > 1);
    previous_->setEnabled(slider_->value() > 0);
    next_->setEnabled(slider_->value() < slider_->maximum());
    if (now != asked_step_) ask_timer_.start();
}

void RolloutsPage::ask() {
    if (!data_ || step() < 0 || step() == asked_step_ || !isVisible()) return;
    asked_step_ = step();
    Q_EMIT rolloutsWanted(toQt(data_->run_id), asked_step_);
}

void RolloutsPage::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    ask_timer_.start();
}

void RolloutsPage::setRollouts(const RolloutSetPointer& rollouts) {
    if (!data_ || rollouts->run_id != data_->run_id || rollouts->step != step()) return;
    rollouts_ = rollouts;
    if (rollouts->groups.empty()) browser_->clear();
    model_->setRollouts(rollouts);
    browser_->setListCaption(
        tr("%1 of %2 with zero variance").arg(model_->zeroVarianceGroups()).arg(rollouts->groups.size()));
}

void RolloutsPage::showGroup() {
    const int row = browser_->list()->currentIndex().row();
    const RolloutGroup* group = model_->groupAt(row);
    if (!group || !data_) return;
    browser_->setPrompt(tr("Group %1:  %2").arg(group->group + 1).arg(model_->index(row).data().toString()),
                        toQt(group->prompt));
    std::vector<Completion> completions;
    for (const RolloutSample& sample : group->samples)
        completions.push_back(completionOf(sample, *group, kl_coef_));
    const int count = int(completions.size());
    browser_->setCompletions(
        QStringLiteral("%1 %2 %3").arg(toQt(data_->run_id)).arg(group->step).arg(group->group),
        std::move(completions), -1, count);
}

void RolloutsPage::moveStep(int by) {
    follow_->setChecked(false);
    slider_->setValue(slider_->value() + by);
}

void RolloutsPage::keyPressEvent(QKeyEvent* event) {
    if (!browser_->handleKey(event)) QWidget::keyPressEvent(event);
}

bool RolloutsPage::pageKey(int key) {
    if (key == Qt::Key_BracketLeft || key == Qt::Key_PageUp)
        moveStep(-1);
    else if (key == Qt::Key_BracketRight || key == Qt::Key_PageDown)
        moveStep(1);
    else if (key == Qt::Key_N)
        follow_->toggle();
    else
        return false;
    return true;
}

} // namespace tempera
