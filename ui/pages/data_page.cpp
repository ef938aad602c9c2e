#include "ui/pages/data_page.h"

#include "core/base/resources.h"
#include "core/recipe/study.h"
#include "core/store/data_reference.h"
#include "ui/pages/data_getter.h"
#include "ui/pages/data_view.h"
#include "ui/run_feed.h"
#include "ui/theme/text.h"
#include "ui/widgets/entry_side.h"
#include "ui/widgets/form_section.h"
#include "ui/widgets/hub_fetch.h"
#include "ui/widgets/notices.h"
#include "ui/widgets/work_stack.h"

#include <QFileInfo>
#include <QSettings>
#include <QVBoxLayout>

#include <algorithm>

namespace tempera {

namespace {

const QString recent_key = QStringLiteral("data/recent");
constexpr int most_recent = 20;

} // namespace

DataPage::DataPage(RunFeed& feed, ModelShelf& shelf, QSettings& settings, Notices& notices, QWidget* parent)
    : QWidget(parent), feed_(feed), settings_(settings), notices_(notices),
      shipped_(toQt((resource_folder() / "instructions.jsonl").string())) {
    side_ = new EntrySide({tr("Search data"), tr("Data sets"), tr("Open data"), QStringLiteral("folder"),
                           tr("A file, a folder, or one of the hub"), false},
                          this);
    view_ = new DataView(this);
    getter_ = new DataGetter(this);
    stack_ = new WorkStack(view_, getter_, this);
    stack_->showPage(getter_);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(stack_);
    connect(&shelf, &ModelShelf::changed, this, [this, &shelf] { view_->setModels(shelf.models()); });
    connectParts();
    listEntries();
}

void DataPage::connectParts() {
    connect(side_, &EntrySide::chosen, this, &DataPage::open);
    connect(side_, &EntrySide::moreRequested, this, &DataPage::showGetter);
    connect(getter_, &DataGetter::openRequested, this,
            [this](const QString& path) { open(QFileInfo(path).absoluteFilePath()); });
    connect(view_, &DataView::opened, this, &DataPage::opened);
    connect(view_, &DataView::failed, this, &DataPage::failed);
    connect(view_, &DataView::newRunRequested, this, &DataPage::newRunRequested);
    connect(getter_->hub(), &HubFetch::downloadRequested, this, [this](const HubPlan& plan) {
        stack_->start(tr("Download %1").arg(toQt(to_text(plan.listing.name))), hubDownloadWork(hub_, plan),
                      toQt(plan.target.string()));
    });
    connect(getter_->hub(), &HubFetch::present, this,
            [this](const HubPlan& plan) { open(toQt(plan.target.string())); });
    connect(stack_, &WorkStack::made, this, &DataPage::open);
    connect(stack_, &WorkStack::made, getter_->hub(), &HubFetch::refresh);
    connect(&stack_->jobs(), &Jobs::ended, this, &DataPage::lookForCached);
}

void DataPage::setHub(const HubSource& source) {
    hub_ = source;
    getter_->hub()->setSource(source);
    if (isVisible()) lookForCached();
}

void DataPage::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    lookForCached();
}

void DataPage::lookForCached() {
    if (!hub_) return;
    background_.compute(
        this, [hub = hub_] { return cached_repositories(hub(), HubKind::data_set); },
        [this](const std::vector<CachedRepository>& found, const QString& error) {
            if (!error.isEmpty() || found == cached_) return;
            cached_ = found;
            QStringList recent = settings_.value(recent_key).toStringList();
            for (const CachedRepository& each : cached_) // opened before it was known whose it is
                recent.removeAll(toQt(each.path.string()));
            settings_.setValue(recent_key, recent);
            listEntries();
            showOrigin(view_->path());
        });
}

void DataPage::setCatalogue(const CataloguePointer& catalogue) {
    catalogue_ = catalogue;
    lookForLeft();
}

void DataPage::lookForLeft() {
    std::vector<FinishedRun> finished;
    for (auto run = catalogue_->runs.rbegin(); run != catalogue_->runs.rend(); ++run)
        if (run->status == RunStatus::finished && leaves_data(run->kind))
            finished.push_back({run->id, runTitle(*run), feed_.runFolder(run->id)});
    if (finished == finished_) return;
    finished_ = finished;
    background_.compute(
        this,
        [finished = std::move(finished)] {
            std::vector<LeftFile> left;
            for (const FinishedRun& run : finished)
                for (const auto& file : left_data(fromQt(run.folder))) {
                    const bool usual =
                        left.empty() || !left.back().reference.starts_with("run:" + run.id + "/");
                    const QString name = toQt(file.stem().string());
                    left.push_back({toQt(file.string()),
                                    usual ? run.title : QStringLiteral("%1: %2").arg(run.title, name),
                                    "run:" + run.id + "/" + file.filename().string()});
                }
            return left;
        },
        [this](std::vector<LeftFile> left, const QString& error) {
            if (!error.isEmpty()) return;
            left_ = std::move(left);
            listEntries();
        });
}

void DataPage::listEntries() {
    std::vector<Entry> entries;
    const auto add = [&](const QString& path, const QString& heading, const QString& text) {
        Entry entry;
        entry.key = path;
        entry.heading = heading;
        entry.text = text;
        entry.symbol = QStringLiteral("data");
        entry.tip = text + u'\n' + path;
        entry.words = path;
        entries.push_back(std::move(entry));
    };
    for (const QString& path : settings_.value(recent_key).toStringList())
        add(path, tr("Opened"), QFileInfo(path).fileName());
    for (const CachedRepository& each : cached_)
        add(toQt(each.path.string()), tr("Of the hub"), toQt(each.name));
    for (const LeftFile& each : left_)
        add(each.path, tr("Left by runs"), each.title);
    add(shipped_, tr("With Tempera"), tr("Instructions"));
    side_->setEntries(std::move(entries));
}

void DataPage::open(const QString& path) {
    if (view_->path() == path && stack_->shows(view_)) return;
    wanted_ = path;
    view_->open(path);
}

/// A data set of the hub, or a file or folder in one, goes by the hub's name, and a run's by the run's.
void DataPage::showOrigin(const QString& path) {
    for (const LeftFile& each : left_)
        if (path == each.path) return view_->setOrigin({each.reference, fromQt(path), {}});
    for (const CachedRepository& each : cached_) {
        const QString folder = toQt(each.path.string());
        if (path != folder && !path.startsWith(folder + u'/')) continue;
        CachedRepository shown = each;
        shown.name += fromQt(path.mid(folder.size()));
        return view_->setOrigin(std::move(shown));
    }
    view_->setOrigin({});
}

void DataPage::opened(const QString& path) {
    wanted_.clear();
    getter_->form()->setProblem({});
    stack_->showPage(view_);
    showOrigin(path);
    const bool of_hub = std::any_of(cached_.begin(), cached_.end(), [&](const CachedRepository& each) {
        return toQt(each.path.string()) == path;
    });
    const bool ours = of_hub || path == shipped_ || path.startsWith(feed_.workspaceFolder() + u'/');
    QStringList recent = settings_.value(recent_key).toStringList();
    if (!ours && !recent.contains(path)) { // those that are there keep their places
        recent.prepend(path);
        settings_.setValue(recent_key, recent.mid(0, most_recent));
        listEntries();
    }
    side_->select(path);
}

void DataPage::failed(const QString& sentence) {
    if (wanted_.isEmpty()) {
        notices_.notice(Banner::Kind::error, sentence);
        return;
    }
    wanted_.clear();
    showGetter();
    getter_->form()->setProblem(sentence);
}

void DataPage::showGetter() {
    side_->unmark();
    stack_->showPage(getter_);
}

} // namespace tempera
