#include "ui/pages/run_view.h"

#include "ui/pages/figure5_page.h"
#include "ui/pages/funnel_page.h"
#include "ui/pages/log_page.h"
#include "ui/pages/recipe_page.h"
#include "ui/pages/rollouts_page.h"
#include "ui/pages/run_page.h"
#include "ui/pages/samples_page.h"
#include "ui/pages/win_rate_page.h"
#include "ui/theme/text.h"
#include "ui/widgets/banner.h"
#include "ui/widgets/page_stack.h"
#include "ui/widgets/reading_order.h"
#include "ui/widgets/run_header.h"

#include <QSignalBlocker>
#include <QTabBar>
#include <QVBoxLayout>

#include <utility>

namespace tempera {

RunView::RunView(QWidget* parent) : QWidget(parent) {
    header_ = new RunHeader(this);
    tabs_ = new QTabBar(this);
    tabs_->setDrawBase(false);
    tabs_->setExpanding(false);
    tabs_->setAccessibleName(tr("Pages of the run"));
    stack_ = new PageStack(this);
    charts_ = new RunPage(this);
    figure5_ = new Figure5Page(this);
    samples_ = new SamplesPage(this);
    rollouts_ = new RolloutsPage(this);
    win_rate_ = new WinRatePage(this);
    funnel_ = new FunnelPage(this);
    recipe_ = new RecipePage(this);
    log_ = new LogPage(this);
    for (QWidget* page : std::initializer_list<QWidget*>{charts_, figure5_, samples_, rollouts_, win_rate_,
                                                         funnel_, recipe_, log_})
        stack_->addWidget(page);
    auto* head = new QWidget(this);
    head->setObjectName(QStringLiteral("header"));
    head->setAttribute(Qt::WA_StyledBackground);
    auto* head_column = new QVBoxLayout(head);
    head_column->setContentsMargins(0, 0, 0, 0);
    head_column->setSpacing(0);
    head_column->addWidget(header_);
    auto* tab_row = new QHBoxLayout;
    tab_row->setContentsMargins(8, 0, 8, 0);
    tab_row->addWidget(tabs_);
    tab_row->addStretch();
    head_column->addLayout(tab_row);
    notices_ = new QVBoxLayout;
    notices_->setContentsMargins(0, 0, 0, 0);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(head);
    column->addLayout(notices_);
    column->addWidget(stack_, 1);
    connect(tabs_, &QTabBar::currentChanged, this, &RunView::tabChanged);
    // The keys of a page are at hand where its tab was clicked.
    connect(
        tabs_, &QTabBar::tabBarClicked, this,
        [this] {
            if (QWidget* page = stack_->currentWidget(); page && page->focusProxy())
                page->setFocus(Qt::MouseFocusReason);
        },
        Qt::QueuedConnection);
    connect(figure5_, &Figure5Page::cellOpened, this, [this](double temperature, int n) {
        showTab(QStringLiteral("samples"));
        samples_->showCell(temperature, n);
    });
}

void RunView::setRun(const RunRecord& run) {
    const bool other = run.id != run_.id;
    const bool status_changed = run.status != run_.status;
    run_ = run;
    header_->setRun(run);
    if (stack_->currentWidget() == recipe_) recipe_->setRun(run);
    if (other || status_changed) tellPages();
    if (other) {
        // The last run's numbers must not stand under this run's name.
        auto none = std::make_shared<RunData>();
        none->run_id = run.id;
        setData(none);
    }
    arrangeTabs();
    showReason();
}

void RunView::tellPages() {
    charts_->setRun(run_);
    samples_->setRun(run_);
    rollouts_->setRun(run_);
    win_rate_->setRun(run_);
}

void RunView::setData(const RunDataPointer& data) {
    if (data->run_id != run_.id) return;
    data_ = data;
    if (!data->progress.phase.empty()) header_->setProgress(data->progress);
    arrangeTabs();
    showReason();
    feedPage();
}

// Only the page that is seen is given its data; another one gets the newest when it is turned to.
void RunView::feedPage() {
    QWidget* page = stack_->currentWidget();
    if (page == recipe_) recipe_->setRun(run_);
    if (!data_) return;
    if (page == charts_)
        charts_->setData(data_);
    else if (page == figure5_)
        figure5_->setData(data_);
    else if (page == samples_)
        samples_->setData(data_);
    else if (page == rollouts_)
        rollouts_->setData(data_);
    else if (page == win_rate_)
        win_rate_->setData(data_);
    else if (page == funnel_)
        funnel_->setData(data_);
    else if (page == log_)
        log_->setData(data_);
}

QStringList RunView::tabKeys() const {
    // What a kind of run will have is there from its start; everything else comes with its data.
    static const QHash<QString, QStringList> expected{
        {QStringLiteral("sweep"), {QStringLiteral("figure5"), QStringLiteral("samples")}},
        {QStringLiteral("rloo"), {QStringLiteral("charts"), QStringLiteral("rollouts")}},
        {QStringLiteral("win_rate"), {QStringLiteral("win_rate")}},
        {QStringLiteral("pairs"), {QStringLiteral("samples")}},
        {QStringLiteral("synthetic"), {QStringLiteral("funnel"), QStringLiteral("samples")}}};
    QStringList keys = expected.value(toQt(run_.kind), {QStringLiteral("charts")});
    if (data_ && data_->run_id == run_.id) {
        const auto add = [&](bool there, const QString& key) {
            if (there && !keys.contains(key)) keys << key;
        };
        add(!data_->metrics.empty(), QStringLiteral("charts"));
        add(data_->sample_count > 0, QStringLiteral("samples"));
        add(!data_->rollout_steps.empty(), QStringLiteral("rollouts"));
        add(!data_->comparisons->empty(), QStringLiteral("win_rate"));
    }
    return keys << QStringLiteral("recipe") << QStringLiteral("log");
}

void RunView::arrangeTabs() {
    const QHash<QString, QString> titles{
        {QStringLiteral("charts"), tr("Charts")},     {QStringLiteral("figure5"), tr("Figure 5")},
        {QStringLiteral("samples"), tr("Samples")},   {QStringLiteral("rollouts"), tr("Rollouts")},
        {QStringLiteral("win_rate"), tr("Win-rate")}, {QStringLiteral("funnel"), tr("Funnel")},
        {QStringLiteral("recipe"), tr("Recipe")},     {QStringLiteral("log"), tr("Log")}};
    const QStringList keys = tabKeys();
    QStringList shown;
    for (int i = 0; i < tabs_->count(); ++i)
        shown << tabs_->tabData(i).toString();
    if (keys == shown && tabs_kind_ == run_.kind) return;
    const bool same_run_kind = tabs_kind_ == run_.kind;
    const QString first = keys.value(0);
    const QString kept = same_run_kind ? currentTab() : last_tab_.value(toQt(run_.kind), first);
    {
        const QSignalBlocker quiet(tabs_);
        while (tabs_->count() > 0)
            tabs_->removeTab(0);
        for (const QString& key : keys)
            tabs_->setTabData(tabs_->addTab(titles.value(key)), key);
        tabs_kind_ = run_.kind;
        showTab(keys.contains(kept) ? kept : first);
    }
    tabChanged(tabs_->currentIndex());
}

void RunView::showTab(const QString& key) {
    for (int i = 0; i < tabs_->count(); ++i)
        if (tabs_->tabData(i).toString() == key) tabs_->setCurrentIndex(i);
}

QString RunView::currentTab() const {
    return tabs_->tabData(tabs_->currentIndex()).toString();
}

void RunView::tabChanged(int index) {
    const QString key = tabs_->tabData(index).toString();
    last_tab_[toQt(run_.kind)] = key;
    const QHash<QString, QWidget*> pages{
        {QStringLiteral("charts"), charts_},     {QStringLiteral("figure5"), figure5_},
        {QStringLiteral("samples"), samples_},   {QStringLiteral("rollouts"), rollouts_},
        {QStringLiteral("win_rate"), win_rate_}, {QStringLiteral("funnel"), funnel_},
        {QStringLiteral("recipe"), recipe_},     {QStringLiteral("log"), log_}};
    if (QWidget* page = pages.value(key)) stack_->setCurrentWidget(page);
    feedPage();
}

QString RunView::pauseReason() const {
    if (run_.status != RunStatus::stopped || !data_ || data_->run_id != run_.id) return {};
    // A rule that pauses the run says so at the same step, behind what it saw.
    const auto& events = data_->events;
    for (std::size_t i = events.size(); i-- > 1 && events[i].kind != "started";)
        if (events[i].kind == "warning" && events[i - 1].kind == "health"
            && events[i].step == events[i - 1].step)
            return tr("A health rule paused the run at step %1: %2")
                .arg(events[i].step)
                .arg(toQt(events[i - 1].message));
    return {};
}

void RunView::showReason() {
    const bool failed = run_.status == RunStatus::failed;
    const QString sentence = failed ? toQt(run_.error) : pauseReason();
    const QString key = sentence.isEmpty() ? QString() : toQt(run_.id) + u' ' + sentence;
    if (std::exchange(reason_key_, key) == key) return;
    if (reason_) {
        reason_->hide(); // at once: it is another run's
        reason_->deleteLater();
    }
    reason_ = nullptr;
    if (sentence.isEmpty()) return;
    const QString details =
        tr("Run %1 (%2), %3\nRecipe: %4")
            .arg(toQt(run_.id), toQt(run_.kind), timeText(run_.ended_ms), toQt(run_.recipe));
    reason_ = new Banner(failed ? Banner::Kind::error : Banner::Kind::warning, sentence, details, this);
    reason_->setClosable(false);
    notices_->addWidget(reason_);
    setReadingOrder({tabs_, reason_});
}

} // namespace tempera
