#include "ui/widgets/run_list.h"

#include "ui/models/run_delegate.h"
#include "ui/models/run_filter_model.h"
#include "ui/models/run_tree_model.h"
#include "ui/theme/icons.h"
#include "ui/theme/text.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QKeyEvent>
#include <QLineEdit>
#include <QMenu>
#include <QTreeView>
#include <QVBoxLayout>

namespace tempera {

RunList::RunList(QWidget* parent)
    : QWidget(parent), model_(new RunTreeModel(this)), filter_(new RunFilterModel(this)) {
    setObjectName(QStringLiteral("side"));
    setAttribute(Qt::WA_StyledBackground);
    filter_->setSourceModel(model_);
    search_ = new QLineEdit(this);
    search_->setPlaceholderText(tr("Search runs"));
    search_->setAccessibleName(search_->placeholderText());
    search_->setClearButtonEnabled(true);
    search_->addAction(icon(QStringLiteral("search")), QLineEdit::LeadingPosition);
    search_->setToolTip(tr("Name, tag, note or state (Ctrl+F)"));
    view_ = new QTreeView(this);
    view_->setModel(filter_);
    view_->setItemDelegate(new RunDelegate(view_));
    view_->setHeaderHidden(true);
    view_->setIndentation(14);
    view_->setRootIsDecorated(true);
    view_->setUniformRowHeights(true);
    view_->setMouseTracking(true);
    view_->setContextMenuPolicy(Qt::CustomContextMenu);
    view_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    view_->setAccessibleName(tr("Studies and runs"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(8, 12, 0, 8);
    column->setSpacing(8);
    auto* head = new QVBoxLayout;
    head->setContentsMargins(0, 0, 8, 0);
    head->addWidget(search_);
    column->addLayout(head);
    column->addWidget(view_, 1);
    setMinimumWidth(180);

    connect(search_, &QLineEdit::textChanged, this, [this](const QString& text) {
        restoring_ = true;
        filter_->setSearch(text);
        restoring_ = false;
        restoreSelection();
    });
    connect(search_, &QLineEdit::returnPressed, view_, qOverload<>(&QWidget::setFocus));
    connect(view_->selectionModel(), &QItemSelectionModel::currentChanged, this, &RunList::currentChanged);
    connect(view_, &QWidget::customContextMenuRequested, this, &RunList::showMenu);
    view_->installEventFilter(this);
    connect(view_, &QTreeView::collapsed, this, [this](const QModelIndex& index) {
        folded_.insert(index.data(RunTreeModel::IdRole).toString());
    });
    connect(view_, &QTreeView::expanded, this, [this](const QModelIndex& index) {
        folded_.remove(index.data(RunTreeModel::IdRole).toString());
    });
    connect(model_, &QAbstractItemModel::modelAboutToBeReset, this, [this] { restoring_ = true; });
    connect(model_, &QAbstractItemModel::modelReset, this, [this] {
        restoring_ = false;
        restoreSelection();
    });
}

void RunList::setCatalogue(const CataloguePointer& catalogue) {
    catalogue_ = catalogue;
    if (hidden_.empty()) {
        model_->setCatalogue(catalogue);
    } else {
        auto listed = std::make_shared<Catalogue>(*catalogue);
        std::erase_if(listed->runs, [this](const RunRecord& run) { return hidden_.count(run.id) > 0; });
        model_->setCatalogue(listed);
    }
    // A study stands for its telling stage, which may have changed.
    if (const QString run = toQt(currentRun()); run != shown_run_) {
        shown_run_ = run;
        Q_EMIT runSelected(run);
    }
}

void RunList::setHidden(const std::set<std::string>& run_ids) {
    hidden_ = run_ids;
    setCatalogue(catalogue_);
}

void RunList::restoreSelection() {
    for (int row = 0; row < filter_->rowCount(); ++row) {
        const QModelIndex index = filter_->index(row, 0);
        view_->setExpanded(index, !folded_.contains(index.data(RunTreeModel::IdRole).toString()));
    }
    select(fromQt(selected_id_));
}

void RunList::select(const std::string& run_or_study_id) {
    if (run_or_study_id.empty()) return;
    selected_id_ = toQt(run_or_study_id);
    const QModelIndex found = indexOf(run_or_study_id);
    if (!found.isValid()) return;
    view_->setCurrentIndex(found);
    view_->scrollTo(found);
}

QModelIndex RunList::indexOf(const std::string& run_or_study_id) const {
    if (filter_->rowCount() == 0) return {};
    return filter_
        ->match(filter_->index(0, 0), RunTreeModel::IdRole, toQt(run_or_study_id), 1,
                Qt::MatchExactly | Qt::MatchRecursive)
        .value(0);
}

std::string RunList::beside(const std::string& run_or_study_id) const {
    const QModelIndex row = indexOf(run_or_study_id);
    for (const QModelIndex& next : {view_->indexBelow(row), view_->indexAbove(row)})
        if (row.isValid() && next.isValid()) return fromQt(next.data(RunTreeModel::IdRole).toString());
    return {};
}

std::string RunList::currentRun() const {
    return model_->runAt(filter_->mapToSource(view_->currentIndex()));
}

void RunList::currentChanged() {
    if (restoring_) return;
    const QModelIndex current = view_->currentIndex();
    if (!current.isValid()) return;
    selected_id_ = current.data(RunTreeModel::IdRole).toString();
    shown_run_ = toQt(currentRun());
    Q_EMIT runSelected(shown_run_);
}

bool RunList::eventFilter(QObject* watched, QEvent* event) {
    if (watched == view_ && event->type() == QEvent::KeyPress
        && static_cast<QKeyEvent*>(event)->matches(QKeySequence::Delete)) {
        removeCurrent();
        return true;
    }
    return QWidget::eventFilter(watched, event);
}

/// A study's row deletes nothing: it would be one of its runs.
void RunList::removeCurrent() {
    const QModelIndex current = view_->currentIndex();
    const RunRecord* run = catalogue_->run(currentRun());
    if (!run || read_only_ || current.data(RunTreeModel::IsStudyRole).toBool()) return;
    if (has_ended(run->status) || run->status == RunStatus::queued)
        Q_EMIT actionRequested(QStringLiteral("remove"), toQt(run->id));
}

void RunList::showMenu(const QPoint& at) {
    const QModelIndex index = view_->indexAt(at);
    const std::string id = model_->runAt(filter_->mapToSource(index));
    const RunRecord* run = catalogue_->run(id);
    if (!run) return;
    const QString run_id = toQt(id);
    const bool of_study = index.data(RunTreeModel::IsStudyRole).toBool(); // which stands for one of its runs
    QMenu menu(this);
    const auto add = [&](const char* symbol, const QString& text, const char* action, bool enabled) {
        const QString shown =
            of_study ? tr("%1 “%2”").arg(text, runTitle(*run).replace(u'&', QStringLiteral("&&"))) : text;
        QAction* entry =
            menu.addAction(icon(QString::fromLatin1(symbol)), shown, this, [this, action, run_id] {
                Q_EMIT actionRequested(QString::fromLatin1(action), run_id);
            });
        entry->setEnabled(enabled && !read_only_);
        return entry;
    };
    const RunStatus status = run->status;
    const bool active = status == RunStatus::running || status == RunStatus::stopping;
    const bool queued = status == RunStatus::queued;
    if (active) add("stop", tr("Stop at a checkpoint"), "stop", status == RunStatus::running);
    if (!active && !queued && status != RunStatus::finished) add("resume", tr("Resume"), "resume", true);
    if (queued) add("start", tr("Run next"), "first", true);
    if (active || queued) add("cancel", tr("Cancel"), "cancel", true);
    add("new-run", tr("New run from this"), "reuse", true);
    menu.addAction(icon(QStringLiteral("copy")), tr("Copy id"), this,
                   [run_id] { QGuiApplication::clipboard()->setText(run_id); });
    menu.addSeparator();
    QAction* remove = add("delete", tr("Delete"), "remove", !active);
    if (!of_study) remove->setShortcut(QKeySequence::Delete); // removeCurrent() does it
    menu.exec(view_->viewport()->mapToGlobal(at));
}

} // namespace tempera
