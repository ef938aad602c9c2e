#include "ui/widgets/work_stack.h"

#include "ui/widgets/job_panel.h"
#include "ui/widgets/page_stack.h"
#include "ui/widgets/reading_order.h"

#include <QVBoxLayout>

#include <algorithm>
#include <utility>

namespace tempera {

WorkStack::WorkStack(QWidget* view, QWidget* getter, QWidget* parent) : QWidget(parent) {
    stack_ = new PageStack(this);
    stack_->addWidget(view);
    stack_->addWidget(getter);
    panel_ = new JobPanel(jobs_, this);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(stack_, 1);
    column->addWidget(panel_);
    connect(&jobs_, &Jobs::listed, this, [this, getter] { setReadingOrder({getter, panel_}); });
    connect(&jobs_, &Jobs::ended, this, [this](int job, bool done) {
        const auto found = followed_.find(job);
        if (found == followed_.end()) return;
        const QString result = found->second;
        followed_.erase(found);
        if (done) Q_EMIT made(result);
    });
}

void WorkStack::showPage(QWidget* page) {
    stack_->setCurrentWidget(page);
}

bool WorkStack::shows(const QWidget* page) const {
    return stack_->currentWidget() == page;
}

void WorkStack::start(const QString& title, Jobs::Work work, const QString& result) {
    const bool under_way = std::any_of(followed_.begin(), followed_.end(),
                                       [&](const auto& each) { return each.second == result; });
    if (!under_way) followed_[jobs_.start(title, std::move(work))] = result;
}

} // namespace tempera
