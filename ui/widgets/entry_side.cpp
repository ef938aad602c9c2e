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
    connect(view_, &QListView::clicked, this, &EntrySide::currentChanged);
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
    restore();
}

void EntrySide::unmark() {
    view_->clearSelection();
}

void EntrySide::restore() {
    int row = model_->rowOf(chosen_);
    for (int first = 0; picks_first_ && row < 0 && chosen_.isEmpty() && first < model_->rowCount(); ++first)
        if (!model_->keyAt(first).isEmpty()) row = first;
    if (row < 0) {
        view_->setCurrentIndex({});
        return;
    }
    view_->setCurrentIndex(model_->index(row));
    view_->scrollTo(model_->index(row));
}

QString EntrySide::current() const {
    return model_->keyAt(view_->currentIndex().row());
}

void EntrySide::currentChanged() {
    if (restoring_ || current().isEmpty()) return;
    chosen_ = current();
    Q_EMIT chosen(chosen_);
}

} // namespace tempera
