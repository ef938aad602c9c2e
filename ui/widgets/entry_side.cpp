#include "ui/widgets/entry_side.h"

#include "ui/theme/icons.h"

#include <QLineEdit>
#include <QListView>
#include <QPushButton>
#include <QVBoxLayout>

#include <algorithm>

namespace tempera {

EntrySide::EntrySide(const Words& words, QWidget* parent)
    : QWidget(parent), model_(new EntryListModel(this)), picks_first_(words.picks_first) {
    setObjectName(QStringLiteral("side"));
    setAttribute(Qt::WA_StyledBackground);
    search_ = new QLineEdit(this);
    search_->setPlaceholderText(words.search);
    search_->setAccessibleName(words.search);
    search_->setClearButtonEnabled(true);
    search_->addAction(icon(QStringLiteral("search")), QLineEdit::LeadingPosition);
    search_->setToolTip(tr("Ctrl+F"));
    view_ = new QListView(this);
    view_->setModel(model_);
    view_->setItemDelegate(new EntryDelegate(view_));
    view_->setUniformItemSizes(true);
    view_->setMouseTracking(true);
    view_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    view_->setAccessibleName(words.list);
    more_ = new QPushButton(icon(words.more_symbol), words.more, this);
    more_->setToolTip(words.more_tip);
    more_->setVisible(!words.more.isEmpty());
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(8, 12, 0, 8);
    column->setSpacing(8);
    const auto inset = [column](QWidget* widget) { // as far from the right edge as the list's rows
        auto* row = new QVBoxLayout;
        row->setContentsMargins(0, 0, 8, 0);
        row->addWidget(widget);
        column->addLayout(row);
    };
    inset(search_);
    column->addWidget(view_, 1);
    inset(more_);
    more_->ensurePolished();
    setMinimumWidth(std::max(180, more_->sizeHint().width() + 16)); // large text widens it
    connect(search_, &QLineEdit::textChanged, this, [this](const QString& text) {
        restoring_ = true;
        model_->setSearch(text);
        restoring_ = false;
        restore();
    });
    connect(search_, &QLineEdit::returnPressed, view_, qOverload<>(&QWidget::setFocus));
    connect(view_->selectionModel(), &QItemSelectionModel::currentChanged, this, &EntrySide::currentChanged);
    connect(view_, &QListView::clicked, this, &EntrySide::currentChanged); // may be current, yet unmarked
    connect(more_, &QPushButton::clicked, this, &EntrySide::moreRequested);
}

void EntrySide::setEntries(std::vector<Entry> entries) {
    restoring_ = true;
    model_->setEntries(std::move(entries));
    restoring_ = false;
    if (current() != chosen_ || chosen_.isEmpty()) restore();
}

void EntrySide::select(const QString& key) {
    chosen_ = key;
    marked_ = true;
    restore();
}

void EntrySide::unmark() {
    marked_ = false;
    view_->clearSelection();
}

/// Tells nobody, for nobody chose: only the first entry, where none was chosen yet, is told of.
void EntrySide::restore() {
    if (picks_first_ && marked_ && chosen_.isEmpty()) {
        for (int row = 0; row < model_->rowCount(); ++row)
            if (!model_->keyAt(row).isEmpty()) return view_->setCurrentIndex(model_->index(row));
    }
    const QModelIndex index = model_->index(model_->rowOf(chosen_));
    restoring_ = true;
    view_->selectionModel()->setCurrentIndex(index, marked_ ? QItemSelectionModel::ClearAndSelect
                                                            : QItemSelectionModel::Clear);
    restoring_ = false;
    if (index.isValid()) view_->scrollTo(index);
}

QString EntrySide::current() const {
    return model_->keyAt(view_->currentIndex().row());
}

void EntrySide::currentChanged() {
    if (restoring_ || current().isEmpty()) return;
    chosen_ = current();
    marked_ = true;
    Q_EMIT chosen(chosen_);
}

} // namespace tempera
