#include "ui/pages/models_page.h"

#include "ui/model_work.h"
#include "ui/models/model_entries.h"
#include "ui/pages/model_getter.h"
#include "ui/pages/model_view.h"
#include "ui/run_feed.h"
#include "ui/theme/text.h"
#include "ui/widgets/entry_side.h"
#include "ui/widgets/form_section.h"
#include "ui/widgets/hub_fetch.h"
#include "ui/widgets/notices.h"
#include "ui/widgets/work_stack.h"

#include <QFileDialog>
#include <QFileInfo>
#include <QListView>
#include <QVBoxLayout>

#include <algorithm>
#include <utility>

namespace fs = std::filesystem;

namespace tempera {

ModelsPage::ModelsPage(RunFeed& feed, ModelShelf& shelf, Notices& notices, QWidget* parent)
    : QWidget(parent), feed_(feed), shelf_(shelf), notices_(notices) {
    side_ = new EntrySide({tr("Search models"), tr("Models"), tr("Get a model"), QStringLiteral("download"),
                           tr("Download or import one")},
                          this);
    view_ = new ModelView(this);
    getter_ = new ModelGetter(this);
    getter_->setReadOnly(feed.readOnly());
    stack_ = new WorkStack(view_, getter_, this);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(stack_);
    connectParts();
}

void ModelsPage::connectParts() {
    connect(stack_, &WorkStack::made, this,
            [this](const QString& reference) { wanted_ = fromQt(reference); });
    connect(&stack_->jobs(), &Jobs::ended, &shelf_, &ModelShelf::refresh);
    connect(&shelf_, &ModelShelf::changed, this, &ModelsPage::shelfChanged);
    connect(&shelf_, &ModelShelf::failed, this,
            [this](const QString& sentence) { notices_.notice(Banner::Kind::error, sentence); });
    connect(side_, &EntrySide::chosen, this,
            [this](const QString& reference) { showModel(fromQt(reference)); });
    connect(side_, &EntrySide::moreRequested, this, &ModelsPage::showGetter);
    connect(view_, &ModelView::newRunRequested, this, &ModelsPage::newRunRequested);
    connect(view_, &ModelView::runOpened, this, &ModelsPage::runOpened);
    connect(view_, &ModelView::copyRequested, this, &ModelsPage::chooseCopyTarget);
    connect(view_, &ModelView::removeRequested, this, &ModelsPage::remove);
    connect(view_, &ModelView::mergeRequested, this, &ModelsPage::merge);
    const auto fetch = [this](const QString& name) {
        stack_->start(tr("Fetch %1").arg(name), importPackageWork(fromQt(name)), name);
    };
    connect(view_, &ModelView::fetchRequested, this, fetch);
    connect(getter_, &ModelGetter::packageRequested, this, fetch);
    connect(getter_->hub(), &HubFetch::downloadRequested, this, [this](const HubPlan& plan) {
        const QString name = toQt(to_text(plan.listing.name));
        stack_->start(tr("Download %1").arg(name), hubDownloadWork(hub_, plan), name);
    });
    connect(stack_, &WorkStack::made, getter_->hub(), &HubFetch::refresh);
    connect(getter_->hub(), &HubFetch::present, this,
            [this](const HubPlan& plan) { showModel(to_text(plan.listing.name)); });
    connect(getter_, &ModelGetter::folderAdded, this, [this](const QString& given) {
        const QString path = QFileInfo(given).absoluteFilePath();
        shelf_.addFolder(path, [this, path](const QString& problem) {
            getter_->folderForm()->setProblem(problem);
            if (problem.isEmpty()) wanted_ = fromQt(path);
        });
    });
    connect(getter_, &ModelGetter::importRequested, this,
            [this](const QString& file, const QString& name, const QString& type) {
                const fs::path target = keptFolder(name);
                const auto weights = tensor_type_from_name(fromQt(type)).value_or(TensorType::f32);
                stack_->start(tr("Import %1").arg(QFileInfo(file).fileName()),
                              importGgufWork(fromQt(file), target, weights), toQt(target.string()));
            });
}

fs::path ModelsPage::keptFolder(const QString& name) const {
    return kept_models_folder(fromQt(shelf_.workspace())) / fromQt(name);
}

void ModelsPage::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    shelf_.refresh(); // folders change behind the window's back
}

void ModelsPage::setHub(const HubSource& source) {
    hub_ = source;
    shelf_.setHub(source);
    getter_->hub()->setSource(source);
}

void ModelsPage::setCatalogue(const CataloguePointer& catalogue) {
    std::vector<LocalModelPlaces::RunResult> runs;
    for (auto run = catalogue->runs.rbegin(); run != catalogue->runs.rend(); ++run)
        if (run->status == RunStatus::finished)
            runs.push_back({run->id, fromQt(runTitle(*run)), fromQt(feed_.runFolder(run->id))});
    shelf_.setRuns(std::move(runs));
}

void ModelsPage::shelfChanged() {
    side_->setEntries(entriesOf(*shelf_.models()));
    getter_->setModels(shelf_.models());
    if (!wanted_.empty() && shelf_.find(wanted_)) showModel(std::exchange(wanted_, {}));
    const ShelvedModel* shown = shelf_.find(view_->reference());
    if (!shown) shown = shelf_.find(fromQt(side_->current()));
    if (shown) view_->setModel(*shown, shelf_.models());
}

void ModelsPage::showModel(const std::string& reference) {
    side_->select(toQt(reference));
    if (const ShelvedModel* model = shelf_.find(reference)) view_->setModel(*model, shelf_.models());
    stack_->showPage(view_);
}

void ModelsPage::showGetter() {
    side_->unmark();
    stack_->showPage(getter_);
}

void ModelsPage::chooseCopyTarget(const QString& reference) {
    auto* dialog = new QFileDialog(this, tr("Copy into which folder?"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::Directory);
    connect(dialog, &QFileDialog::fileSelected, this,
            [this, reference](const QString& folder) { copyTo(fromQt(reference), folder); });
    dialog->open();
}

void ModelsPage::copyTo(const std::string& reference, const QString& parent_folder) {
    const ShelvedModel* model = shelf_.find(reference);
    if (!model) return;
    std::string name = model->model.name;
    std::replace(name.begin(), name.end(), '/', '-');
    const fs::path target = fs::path(fromQt(parent_folder)) / name;
    stack_->jobs().start(tr("Copy %1 to %2").arg(toQt(model->model.name), toQt(target.string())),
                         copyModelWork(model->model.path, target));
}

void ModelsPage::remove(const QString& reference) {
    const ShelvedModel* model = shelf_.find(fromQt(reference));
    if (!model) return;
    if (model->model.source == LocalModel::Source::folder) {
        shelf_.forgetFolder(reference);
        notices_.offerUndo(
            tr("“%1” is off the list; its files stay where they are.").arg(toQt(model->model.name)),
            [this, reference] { shelf_.addFolder(reference); }, [] {});
        return;
    }
    const QString name = toQt(model->model.name);
    shelf_.hide(fromQt(reference));
    side_->select({});
    notices_.offerUndo(
        tr("The files of “%1” are deleted.").arg(name),
        [this, reference] {
            wanted_ = fromQt(reference);
            shelf_.unhide(wanted_);
        },
        [this, reference] { shelf_.remove(fromQt(reference)); });
}

void ModelsPage::merge(const QString& adapter, const QString& base, const QString& name) {
    const ShelvedModel* with = shelf_.find(fromQt(adapter));
    const ShelvedModel* into = shelf_.find(fromQt(base));
    if (!with || !into || !into->info) return;
    const fs::path target = keptFolder(name);
    stack_->start(tr("Merge %1 into %2").arg(toQt(with->model.name), toQt(into->model.name)),
                  mergeWork(into->model.path, with->model.path, target, into->info->weights.elements),
                  toQt(target.string()));
}

} // namespace tempera
