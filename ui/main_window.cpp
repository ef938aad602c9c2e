#include "ui/main_window.h"

#include "core/queue/run_queue.h"
#include "ui/pages/card_browser.h"
#include "ui/pages/figure5_page.h"
#include "ui/pages/new_run_page.h"
#include "ui/pages/recipe_page.h"
#include "ui/pages/rollouts_page.h"
#include "ui/pages/run_page.h"
#include "ui/pages/run_view.h"
#include "ui/pages/samples_page.h"
#include "ui/pages/win_rate_page.h"
#include "ui/run_feed.h"
#include "ui/theme/icons.h"
#include "ui/theme/text.h"
#include "ui/theme/theme.h"
#include "ui/widgets/empty_state.h"
#include "ui/widgets/entry_side.h"
#include "ui/widgets/notices.h"
#include "ui/widgets/page_stack.h"
#include "ui/widgets/rail.h"
#include "ui/widgets/reading_order.h"
#include "ui/widgets/run_header.h"
#include "ui/widgets/run_list.h"
#include "ui/widgets/status_strip.h"
#include "ui/window_state.h"
#include "ui/work_areas.h"

#include <QCloseEvent>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QListView>
#include <QMessageBox>
#include <QPushButton>
#include <QShortcut>
#include <QSplitter>
#include <QStackedWidget>
#include <QTabBar>
#include <QTreeView>
#include <QVBoxLayout>

#include <algorithm>
#include <utility>

namespace tempera {

namespace {

enum Area { runs_area, new_run_area, first_work_area };

} // namespace

MainWindow::MainWindow(Parts parts, QWidget* parent) : QMainWindow(parent), parts_(std::move(parts)) {
    setWindowTitle(tr("Tempera"));
    setWindowIcon(QIcon(QStringLiteral(":/tempera/icons/tempera.svg")));
    resize(1200, 680);
    setMinimumSize(880, 560);
    rail_ = new Rail(this);
    notices_ = new Notices(this);
    list_ = new RunList(this);
    list_->setReadOnly(parts_.queue == nullptr);
    view_ = new RunView(this);
    view_->header()->setReadOnly(parts_.queue == nullptr);
    if (parts_.paper) view_->figure5()->setPaperValues(*parts_.paper);
    new_run_ = new NewRunPage(parts_.shipped, this);
    new_run_->setReadOnly(parts_.queue == nullptr);
    areas_ = new WorkAreas({parts_.feed, parts_.settings, *notices_, parts_.keys}, this);
    empty_ = new EmptyState(tr("Runs appear here, live while they work: start with “Figure 5 in minutes”, "
                               "which teaches a tiny model Countdown and maps best-of-N over temperature."),
                            tr("New run"), this);
    stack_ = new PageStack(this);
    for (QWidget* page : std::initializer_list<QWidget*>{empty_, view_, new_run_})
        stack_->addWidget(page);
    auto* centre = new QWidget(this);
    auto* centre_column = new QVBoxLayout(centre);
    centre_column->setContentsMargins(0, 0, 0, 0);
    centre_column->setSpacing(0);
    centre_column->addWidget(notices_);
    centre_column->addWidget(stack_, 1);
    splitter_ = new QSplitter(Qt::Horizontal, this);
    side_ = new QStackedWidget(this);
    side_->addWidget(list_);
    for (const WorkAreas::Area& area : areas_->list()) {
        side_->addWidget(area.side);
        stack_->addWidget(area.page);
    }
    splitter_->addWidget(side_);
    splitter_->addWidget(centre);
    splitter_->setStretchFactor(1, 1);
    splitter_->setSizes({240, 1040});
    splitter_->setChildrenCollapsible(false);
    auto* body = new QWidget(this);
    auto* row = new QHBoxLayout(body);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(0);
    row->addWidget(rail_);
    row->addWidget(splitter_, 1);
    setCentralWidget(body);
    notices_->setAnchor(side_);
    strip_ = new StatusStrip(this);
    strip_->setWorkspace(parts_.feed.workspaceFolder());
    setStatusBar(strip_);
    buildRail();
    setReadingOrder({rail_, side_}); // every area's, then the pages
    connectPages();
    addShortcuts();
    restoreState();
    list_->view()->setFocus(Qt::OtherFocusReason);
    if (!parts_.queue)
        notices_
            ->notice(Banner::Kind::warning, parts_.read_only_reason.isEmpty()
                                                ? tr("This workspace is open read-only.")
                                                : parts_.read_only_reason)
            ->setClosable(false);
    catalogueArrived(parts_.feed.catalogue());
}

MainWindow::~MainWindow() = default;

void MainWindow::buildRail() {
    rail_->addArea(runs_area, QStringLiteral("runs"), tr("Runs"), tr("Studies and runs (Alt+1)"));
    rail_->addArea(new_run_area, QStringLiteral("new-run"), tr("New run"),
                   tr("Start a run or a study (Ctrl+N)"));
    bool stretched = false;
    for (std::size_t i = 0; i < areas_->list().size(); ++i) {
        const WorkAreas::Area& area = areas_->list()[i];
        if (area.last && !std::exchange(stretched, true)) rail_->addStretch();
        rail_->addArea(first_work_area + int(i), area.symbol, area.text, area.tip);
    }
    rail_->setCurrent(runs_area);
    connect(rail_, &Rail::areaChosen, this, [this](int area) {
        if (area >= first_work_area)
            showWorkArea(areas_->list()[std::size_t(area - first_work_area)].page);
        else if (area == new_run_area)
            showNewRun();
        else
            showRun(list_->currentRun());
    });
}

void MainWindow::connectPages() {
    RunFeed& feed = parts_.feed;
    connect(&feed, &RunFeed::catalogueChanged, this, &MainWindow::catalogueArrived);
    connect(&feed, &RunFeed::runChanged, view_, &RunView::setData);
    connect(&feed, &RunFeed::promptsReady, view_->samples(), &SamplesPage::setPrompts);
    connect(&feed, &RunFeed::samplesReady, view_->samples(), &SamplesPage::setSamples);
    connect(&feed, &RunFeed::loadChanged, strip_, &StatusStrip::setLoad);
    connect(&feed, &RunFeed::failed, this,
            [this](const QString& sentence) { notices_->notice(Banner::Kind::error, sentence); });
    connect(view_->samples(), &SamplesPage::promptsWanted, &feed,
            [&feed](const PromptQuery& query) { feed.requestPrompts(query); });
    connect(view_->samples(), &SamplesPage::samplesWanted, &feed,
            [&feed](const QString& run, double temperature, qint64 prompt) {
                feed.requestSamples(fromQt(run), temperature, prompt);
            });
    connect(&feed, &RunFeed::rolloutsReady, view_->rollouts(), &RolloutsPage::setRollouts);
    connect(view_->rollouts(), &RolloutsPage::rolloutsWanted, &feed,
            [&feed](const QString& run, qint64 step) { feed.requestRollouts(fromQt(run), step); });
    connect(view_->winRate(), &WinRatePage::runOpened, this,
            [this](const QString& run) { showRun(fromQt(run)); });
    for (CardBrowser* browser :
         {view_->samples()->browser(), view_->rollouts()->browser(), view_->winRate()->browser()})
        connect(browser, &CardBrowser::piecesWanted, this,
                [this, browser](const QString& key, const std::vector<TokenList>& tokens) {
                    parts_.feed.requestPieces(browser, view_->runId(), tokens,
                                              [browser, key](RunFeed::Pieces pieces, const QString& problem) {
                                                  browser->setPieces(key, std::move(pieces), problem);
                                              });
                });
    connect(view_->charts(), &RunPage::smoothingChanged, &feed, &RunFeed::setSmoothing);
    connect(list_, &RunList::runSelected, this, &MainWindow::runSelected);
    connect(list_, &RunList::actionRequested, this, &MainWindow::act);
    connect(list_->view(), &QTreeView::clicked, this, [this] { showRun(list_->currentRun()); });
    connect(list_->view(), &QTreeView::activated, this, [this] { showRun(list_->currentRun()); });
    connect(empty_, &EmptyState::triggered, this, qOverload<>(&MainWindow::showNewRun));
    connect(new_run_, &NewRunPage::startRequested, this, &MainWindow::startRun);
    const auto new_run = [this](const Json& recipe) { showNewRun(recipe); };
    connect(view_->recipe(), &RecipePage::reuseRequested, this, new_run);
    connect(areas_, &WorkAreas::newRunRequested, this, new_run);
    connect(areas_, &WorkAreas::runOpened, this, [this](const QString& run) { showRun(fromQt(run)); });
    connect(areas_, &WorkAreas::runSettingsChanged, this, [this] {
        perform([threads = areas_->threads(), hub = areas_->hub()](RunQueue& queue) {
            queue.set_threads(threads);
            queue.set_hub(hub);
        });
    });
    connect(areas_, &WorkAreas::workspaceRequested, this, [this](const QString& folder) {
        if (running().empty())
            Q_EMIT workspaceRequested(folder);
        else
            notices_->notice(
                Banner::Kind::warning,
                tr("A run is at work here: let it finish or stop it, then open the other workspace."));
    });
    const auto on_current = [this](const char* action) {
        return [this, action] { act(QString::fromLatin1(action), toQt(view_->runId())); };
    };
    connect(view_->header(), &RunHeader::stopRequested, this, on_current("stop"));
    connect(view_->header(), &RunHeader::resumeRequested, this, on_current("resume"));
    connect(view_->header(), &RunHeader::cancelRequested, this, on_current("cancel"));
}

void MainWindow::addShortcuts() {
    const auto add = [this](const QKeySequence& keys, auto action) {
        connect(new QShortcut(keys, this), &QShortcut::activated, this, action);
    };
    add(QKeySequence::New, [this] {
        showNewRun();
        new_run_->setFocus(Qt::ShortcutFocusReason);
    });
    add(QKeySequence::Find, [this] {
        if (auto* search = side_->currentWidget()->findChild<QLineEdit*>())
            search->setFocus(Qt::ShortcutFocusReason);
    });
    for (const WorkAreas::Area& area : areas_->list())
        add(area.keys, [this, page = area.page, list = area.side->view()] {
            showWorkArea(page);
            list->setFocus(Qt::ShortcutFocusReason);
        });
    add(QKeySequence(Qt::ALT | Qt::Key_1), [this] {
        showRun(list_->currentRun());
        list_->view()->setFocus(Qt::ShortcutFocusReason);
    });
    add(QKeySequence::Undo, [this] { notices_->undoNewest(); });
    add(QKeySequence::Quit, [this] { close(); });
    const auto turn = [this](int by) {
        QTabBar* tabs = view_->tabs();
        if (tabs->count() > 0)
            tabs->setCurrentIndex((tabs->currentIndex() + by + tabs->count()) % tabs->count());
    };
    add(QKeySequence(Qt::CTRL | Qt::Key_PageDown), [turn] { turn(1); });
    add(QKeySequence(Qt::CTRL | Qt::Key_PageUp), [turn] { turn(-1); });
}

void MainWindow::catalogueArrived(const CataloguePointer& catalogue) {
    list_->setCatalogue(catalogue);
    strip_->setCatalogue(catalogue);
    new_run_->setEarlierRuns(catalogue);
    areas_->setCatalogue(catalogue);
    if (const RunRecord* run = catalogue->run(view_->runId())) view_->setRun(*run);
    if (!pending_selection_.empty()) {
        const RunRecord* run = catalogue->run(pending_selection_);
        const bool study = run && pending_study_ && !run->study.empty();
        list_->select(study ? run->study : pending_selection_);
        if (run || list_->currentRun() == pending_selection_) pending_selection_.clear();
    }
    if (first_catalogue_ && !catalogue->runs.empty()) {
        first_catalogue_ = false;
        offerResume(*catalogue);
        if (list_->currentRun().empty()) list_->view()->setCurrentIndex(list_->view()->model()->index(0, 0));
    }
    if (catalogue->runs.empty() && stack_->currentWidget() == view_) stack_->setCurrentWidget(empty_);
    if (closing_ && running().empty()) close();
}

void MainWindow::runSelected(const QString& run_id) {
    const std::string id = fromQt(run_id);
    const RunRecord* run = parts_.feed.catalogue()->run(id);
    if (!run) return;
    view_->setRun(*run);
    parts_.feed.requestPrompts(std::nullopt);
    parts_.feed.watch(id);
    if (stack_->currentWidget() == empty_) stack_->setCurrentWidget(view_);
}

void MainWindow::showRun(const std::string& run_or_study_id) {
    showArea(runs_area, list_, parts_.feed.catalogue()->runs.empty() ? static_cast<QWidget*>(empty_) : view_);
    if (run_or_study_id.empty() || run_or_study_id == list_->currentRun()) return;
    list_->select(run_or_study_id);
    if (list_->currentRun().empty()) {
        pending_selection_ = run_or_study_id;
        pending_study_ = false;
    }
}

void MainWindow::showNewRun() {
    showArea(new_run_area, list_, new_run_);
}

void MainWindow::showNewRun(const Json& recipe) {
    new_run_->setRecipe(recipe);
    showNewRun();
}

void MainWindow::showWorkArea(const QWidget* page) {
    for (std::size_t i = 0; i < areas_->list().size(); ++i)
        if (const WorkAreas::Area& area = areas_->list()[i]; area.page == page)
            showArea(first_work_area + int(i), area.side, area.page);
}

void MainWindow::showArea(int area, QWidget* side, QWidget* page) {
    rail_->setCurrent(area);
    side_->setCurrentWidget(side);
    stack_->setCurrentWidget(page);
}

void MainWindow::startRun(const Json& recipe_or_study) {
    if (!parts_.queue) return;
    auto ids = std::make_shared<std::vector<std::string>>();
    parts_.feed.perform(
        this, [queue = parts_.queue, recipe_or_study, ids] { *ids = queue->submit(recipe_or_study); },
        [this, ids](const QString& error) {
            if (!error.isEmpty()) {
                notices_->notice(Banner::Kind::error, error);
                return;
            }
            if (!ids->empty()) pending_selection_ = ids->front();
            pending_study_ = true;
            showRun({});
            list_->view()->setFocus(Qt::OtherFocusReason); // not a button of the new run, such as Cancel
            catalogueArrived(parts_.feed.catalogue());
        });
}

void MainWindow::perform(std::function<void(RunQueue&)> task) {
    if (!parts_.queue) return;
    parts_.feed.perform(
        this, [queue = parts_.queue, task = std::move(task)] { task(*queue); },
        [this](const QString& error) {
            if (!error.isEmpty()) notices_->notice(Banner::Kind::error, error);
        });
}

void MainWindow::act(const QString& action, const QString& run_id) {
    const std::string id = fromQt(run_id);
    if (action == QLatin1String("stop"))
        perform([id](RunQueue& queue) { queue.stop(id); });
    else if (action == QLatin1String("cancel"))
        cancel(id);
    else if (action == QLatin1String("resume"))
        perform([id](RunQueue& queue) { queue.resume(id); });
    else if (action == QLatin1String("first"))
        perform([id](RunQueue& queue) { queue.reorder(id, 0); });
    else if (action == QLatin1String("remove"))
        remove(run_id);
    else if (action == QLatin1String("reuse")) {
        const RunRecord* run = parts_.feed.catalogue()->run(id);
        const Json recipe = run ? Json::parse(run->recipe, nullptr, false) : Json();
        if (recipe.is_object()) showNewRun(recipe);
    }
}

void MainWindow::remove(const QString& run_id) {
    const RunRecord* run = parts_.feed.catalogue()->run(fromQt(run_id));
    if (!run || !parts_.queue || removals_.count(run->id) > 0) return;
    const std::string id = run->id;
    const std::string next = list_->beside(id);
    removals_.insert(id);
    hidden_.insert(id);
    list_->setHidden(hidden_);
    if (list_->currentRun().empty()) list_->select(next);
    if (list_->currentRun().empty()) stack_->setCurrentWidget(empty_);
    notices_->offerUndo(
        tr("“%1” is deleted with its metrics, samples, checkpoints and model.").arg(runTitle(*run)),
        [this, id] {
            removals_.erase(id);
            hidden_.erase(id);
            list_->setHidden(hidden_);
            list_->select(id);
        },
        [this, id] { removeNow(id); });
}

void MainWindow::removeNow(const std::string& id) {
    if (removals_.erase(id) == 0) return;
    parts_.feed.perform(
        this, [feed = &parts_.feed, id] { feed->removeRun(id); },
        [this, id](const QString& error) {
            if (error.isEmpty()) return; // it stays hidden until the catalogue no longer has it
            hidden_.erase(id);
            list_->setHidden(hidden_);
            notices_->notice(Banner::Kind::error, error);
        });
}

void MainWindow::cancel(const std::string& id) {
    const RunRecord* run = parts_.feed.catalogue()->run(id);
    const bool waiting = run && run->status == RunStatus::queued;
    const QString title = run ? runTitle(*run) : QString();
    perform([id](RunQueue& queue) { queue.cancel(id); });
    if (waiting && parts_.queue)
        notices_->offerUndo(
            tr("“%1” is cancelled; it had not begun.").arg(title),
            [this, id] { perform([id](RunQueue& queue) { queue.resume(id); }); }, [] {});
}

void MainWindow::offerResume(const Catalogue& catalogue) {
    if (!parts_.queue) return;
    std::vector<std::string> ids;
    QStringList names;
    for (const RunRecord& run : catalogue.runs)
        if (run.status == RunStatus::stopped || run.status == RunStatus::interrupted) {
            ids.push_back(run.id);
            names << QStringLiteral("%1 (%2)").arg(runTitle(run), statusText(run.status));
        }
    if (ids.empty()) return;
    const QString listed = names.size() > 3
                               ? names.mid(0, 3).join(QStringLiteral(", ")) + QStringLiteral(", …")
                               : names.join(QStringLiteral(", "));
    Banner* banner = notices_->notice(
        Banner::Kind::info,
        ids.size() == 1
            ? tr("One run was ended before it finished: %1. It can go on where it stopped.").arg(listed)
            : tr("%1 runs were ended before they finished: %2. They can go on where they stopped.")
                  .arg(ids.size())
                  .arg(listed));
    QPushButton* resume = banner->addAction(ids.size() == 1 ? tr("Resume") : tr("Resume all"));
    connect(resume, &QPushButton::clicked, this, [this, ids, banner] {
        perform([ids](RunQueue& queue) {
            for (const std::string& id : ids)
                queue.resume(id);
        });
        banner->deleteLater();
    });
}

std::vector<Banner*> MainWindow::banners() const {
    return notices_->banners();
}

void MainWindow::setUndoTime(int milliseconds) {
    notices_->setUndoTime(milliseconds);
}

void MainWindow::ask(const QString& text, const QString& explanation, const QString& yes,
                     std::function<void()> action) {
    if (question_) return;
    question_ = new QMessageBox(QMessageBox::Question, windowTitle(), text, QMessageBox::Cancel, this);
    question_->setInformativeText(explanation);
    question_->setAttribute(Qt::WA_DeleteOnClose);
    QPushButton* accept = question_->addButton(yes, QMessageBox::AcceptRole);
    accept->setObjectName(QStringLiteral("accept"));
    accept->setProperty("primary", true);
    question_->setDefaultButton(accept);
    question_->setIconPixmap(iconPixmap(*this, QStringLiteral("warning"), Theme::current().paused, 2));
    for (QAbstractButton* button : question_->buttons())
        button->setIcon({}); // the style's own are of another set
    connect(question_, &QMessageBox::finished, this, [this, accept, action = std::move(action)] {
        const bool accepted = question_ && question_->clickedButton() == accept;
        question_ = nullptr;
        if (accepted) action();
    });
    question_->open(); // not exec(): the feed's deliveries and the timers go on
}

std::vector<std::string> MainWindow::running() const {
    std::vector<std::string> ids;
    for (const RunRecord& run : parts_.feed.catalogue()->runs)
        if (run.status == RunStatus::running || run.status == RunStatus::stopping) ids.push_back(run.id);
    return ids;
}

void MainWindow::closeEvent(QCloseEvent* event) {
    saveState();
    const std::vector<std::string> ids = parts_.queue ? running() : std::vector<std::string>();
    const QStringList jobs = closing_ ? QStringList() : areas_->underWay();
    if (ids.empty() && !jobs.isEmpty()) {
        event->ignore();
        return ask(tr("“%1” is not done yet. Stop it and close?").arg(jobs.front()),
                   tr("What a download has fetched stays; anything else leaves nothing behind."),
                   tr("Stop and close"), [this] { closing_ = true, close(); });
    }
    if (ids.empty()) {
        notices_->expireAll(); // feed and shelf carry it out before they end
        event->accept();
        return;
    }
    event->ignore();
    if (closing_) return;
    const RunRecord* run = parts_.feed.catalogue()->run(ids.front());
    ask(tr("“%1” is still running. Stop it and close?").arg(run ? runTitle(*run) : toQt(ids.front())),
        tr("It finishes its step, keeps a checkpoint and can be resumed at the next start."),
        tr("Stop and close"), [this, ids] {
            closing_ = true;
            perform([ids](RunQueue& queue) {
                queue.pause();
                for (const std::string& id : ids)
                    queue.stop(id);
            });
            notices_
                ->notice(Banner::Kind::info,
                         tr("Stopping at a checkpoint; the window closes when it is stored."))
                ->setClosable(false);
        });
}

void MainWindow::restoreState() {
    WindowState(parts_.settings).restore(*this, *splitter_, *view_, *list_);
    parts_.feed.setSmoothing(view_->charts()->smoothing());
}

void MainWindow::saveState() const {
    WindowState(parts_.settings).save(*this, *splitter_, *view_, *list_);
}

} // namespace tempera
