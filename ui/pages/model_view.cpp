#include "ui/pages/model_view.h"

#include "ui/models/model_entries.h"
#include "ui/theme/icons.h"
#include "ui/theme/text.h"
#include "ui/widgets/elided_label.h"
#include "ui/widgets/form_section.h"
#include "ui/widgets/page_head.h"
#include "ui/widgets/reading_order.h"
#include "ui/widgets/shrinkable.h"

#include <QClipboard>
#include <QComboBox>
#include <QDesktopServices>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QMenu>
#include <QPushButton>
#include <QScrollArea>
#include <QUrl>
#include <QVBoxLayout>

namespace tempera {

ModelView::ModelView(QWidget* parent) : QWidget(parent) {
    setObjectName(QStringLiteral("page"));
    setAttribute(Qt::WA_StyledBackground);
    QWidget* head = buildHead(); // first: Tab goes from the top to the bottom
    auto* body = new QWidget(this);
    body->setObjectName(QStringLiteral("formBody"));
    body->setMaximumWidth(760);
    facts_ = new FactGrid(body);
    auto* inside = new QVBoxLayout(body);
    inside->setContentsMargins(16, 16, 16, 16);
    inside->setSpacing(24);
    inside->addWidget(facts_);
    inside->addWidget(buildMergeForm());
    inside->addStretch();
    QScrollArea* scroll = makeFormScroll(body, this);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(head);
    column->addWidget(scroll, 1);
}

QWidget* ModelView::buildHead() {
    auto* head = new PageHead(this);
    name_ = head->name();
    place_ = head->about();
    use_ = new QPushButton(tr("Use in a new run"), head);
    use_->setProperty("primary", true);
    use_->setMenu(new QMenu(use_));
    fetch_ = new QPushButton(tr("Fetch"), head);
    fetch_->setProperty("primary", true);
    open_run_ = new QPushButton(icon(QStringLiteral("runs")), tr("Show run"), head);
    open_folder_ = new QPushButton(icon(QStringLiteral("folder")), tr("Open folder"), head);
    copy_ = new QPushButton(icon(QStringLiteral("export")), tr("Copy to…"), head);
    copy_->setToolTip(tr("Copies its files into a folder of your choice"));
    remove_ = new QPushButton(icon(QStringLiteral("delete")), tr("Delete"), head);
    auto* buttons = new QHBoxLayout;
    buttons->setSpacing(8);
    for (QPushButton* button : {use_, fetch_, open_run_, copy_, open_folder_, remove_})
        buttons->addWidget(button);
    setReadingOrder({use_, fetch_, open_run_, copy_, open_folder_, remove_});
    buttons->addStretch();
    head->column()->addLayout(buttons);
    connect(fetch_, &QPushButton::clicked, this, [this] { Q_EMIT fetchRequested(toQt(reference())); });
    connect(copy_, &QPushButton::clicked, this, [this] { Q_EMIT copyRequested(toQt(reference())); });
    connect(remove_, &QPushButton::clicked, this, [this] { Q_EMIT removeRequested(toQt(reference())); });
    connect(open_run_, &QPushButton::clicked, this,
            [this] { Q_EMIT runOpened(toQt(reference()).mid(int(qstrlen("run:")))); });
    connect(open_folder_, &QPushButton::clicked, this, [this] {
        const std::filesystem::path& path = model_.model.path;
        QDesktopServices::openUrl(QUrl::fromLocalFile(
            toQt(path.extension() == ".gguf" ? path.parent_path().string() : path.string())));
    });
    return head;
}

QWidget* ModelView::buildMergeForm() {
    merge_form_ = new FormSection(
        tr("Merge into its base"),
        tr("Writes base and adapter as one model, merged in fp32, into this workspace."), this);
    base_ = new QComboBox(merge_form_);
    shrinkable(base_, 8);
    merged_name_ = new QLineEdit(merge_form_);
    merged_name_->setMaxLength(120);
    merge_ = new QPushButton(tr("Merge"), merge_form_);
    merge_form_->addField(tr("&Base"), base_);
    merge_form_->addField(tr("&Name of the merged model"), merged_name_);
    merge_form_->addRow({merge_});
    const auto check = [this] {
        const QString name = merged_name_->text().trimmed();
        const bool plain = !name.isEmpty() && !name.contains(u'/') && !name.startsWith(u'.');
        merge_form_->setProblem(plain || base_->count() == 0
                                    ? QString()
                                    : tr("Give a name without “/” that does not begin with a dot."));
        merge_->setEnabled(plain && base_->currentIndex() >= 0);
    };
    connect(merged_name_, &QLineEdit::textChanged, this, check);
    connect(base_, &QComboBox::currentIndexChanged, this, check);
    connect(merge_, &QPushButton::clicked, this, [this] {
        Q_EMIT mergeRequested(toQt(reference()), base_->currentData().toString(),
                              merged_name_->text().trimmed());
    });
    return merge_form_;
}

void ModelView::setModel(const ShelvedModel& model, const ShelfPointer& shelf) {
    const bool other = model.model.reference != model_.model.reference;
    model_ = model;
    const LocalModel& local = model.model;
    name_->setText(toQt(local.name));
    place_->setText(QStringLiteral("%1  ·  %2").arg(sourceText(local.source), toQt(local.path.string())));
    if (!local.present)
        place_->setText(tr("%1, fetched and imported when it is first used").arg(sourceText(local.source)));
    facts_->setFacts(factsOf(model));
    const bool run = local.source == LocalModel::Source::run;
    use_->setVisible(local.present);
    use_->setEnabled(model.problem.isEmpty());
    fetch_->setVisible(!local.present);
    open_run_->setVisible(run);
    open_folder_->setVisible(local.present);
    copy_->setVisible(local.present);
    const bool hub = local.source == LocalModel::Source::hub; // other programs may use it
    remove_->setVisible(local.present && !run && !hub && local.source != LocalModel::Source::shipped);
    const bool forget = local.source == LocalModel::Source::folder;
    remove_->setText(forget ? tr("Take off the list") : tr("Delete"));
    remove_->setToolTip(forget ? tr("Its files stay where they are")
                               : tr("Deletes its files; can be undone for ten seconds"));
    showUses();
    if (other) merged_name_->setText(toQt(local.name) + QStringLiteral("-merged"));
    showMergeForm(shelf, !other);
}

void ModelView::showUses() {
    QMenu* menu = use_->menu();
    menu->clear();
    for (const auto& [title, recipe] : usesOf(model_))
        menu->addAction(icon(toQt(recipe.value("kind", std::string()))), title, this,
                        [this, recipe = recipe] { Q_EMIT newRunRequested(recipe); });
    menu->addSeparator();
    menu->addAction(icon(QStringLiteral("copy")), tr("Copy its name for a recipe"), this,
                    [this] { QGuiApplication::clipboard()->setText(toQt(reference())); });
}

void ModelView::showMergeForm(const ShelfPointer& shelf, bool keep) {
    const bool adapter = model_.info && model_.info->kind == ModelInfo::Kind::adapter;
    merge_form_->setVisible(adapter);
    if (!adapter) return;
    const QString before = keep ? base_->currentData().toString() : QString();
    const std::string& wanted = model_.info->adapter->base_model;
    base_->clear();
    for (const ShelvedModel& each : *shelf) {
        if (!each.info || !each.info->config || each.info->kind != ModelInfo::Kind::model) continue;
        base_->addItem(toQt(each.model.name), toQt(each.model.reference));
        base_->setItemData(base_->count() - 1, toQt(each.model.path.string()), Qt::ToolTipRole);
        if (each.model.path.string() == wanted || each.model.reference == wanted)
            base_->setCurrentIndex(base_->count() - 1);
    }
    if (const int same = base_->findData(before); same >= 0) base_->setCurrentIndex(same);
}

} // namespace tempera
