#include "ui/pages/card_browser.h"

#include "ui/models/prompt_delegate.h"
#include "ui/pages/card_row.h"
#include "ui/pages/completion_card.h"
#include "ui/pages/lens_legend.h"
#include "ui/theme/icons.h"
#include "ui/theme/text.h"
#include "ui/widgets/elided_label.h"

#include <QClipboard>
#include <QComboBox>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QListView>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSignalBlocker>
#include <QSplitter>
#include <QToolButton>
#include <QVBoxLayout>

namespace tempera {

CardBrowser::CardBrowser(QAbstractItemModel* model, const QString& list_name, QWidget* parent)
    : QWidget(parent) {
    list_ = new QListView(this);
    list_->setModel(model);
    list_->setItemDelegate(new PromptDelegate(list_));
    list_->setUniformItemSizes(true);
    list_->setMouseTracking(true);
    list_->setAccessibleName(list_name);
    list_caption_ = new ElidedLabel({}, this);
    list_caption_->setProperty("muted", true);
    list_caption_->setFont(tabularFont(font()));
    list_caption_->setContentsMargins(16, 0, 4, 4);
    list_caption_->hide();
    auto* left = new QWidget(this);
    left->setMinimumWidth(120);
    auto* left_column = new QVBoxLayout(left);
    left_column->setContentsMargins(0, 0, 0, 0);
    left_column->setSpacing(0);
    left_column->addWidget(list_caption_);
    left_column->addWidget(list_, 1);
    list_->installEventFilter(this);
    row_ = new CardRow(this);
    lens_ = new QComboBox(this);
    lens_->setAccessibleName(tr("Token lens"));
    lens_->setToolTip(tr("What tints the tokens of the completions (T: next; comma and full stop: token)"));
    lens_->addItem(lensName(Lens::none), int(Lens::none));
    difference_ = new QPushButton(tr("&Differences"), this);
    difference_->setCheckable(true);
    difference_->setToolTip(
        tr("The current sample beside the pinned, the chosen or the first other one, with what differs (D)"));
    position_ = new QLabel(this);
    position_->setProperty("muted", true);
    position_->setFont(tabularFont(font()));
    position_->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    auto* right = new QWidget(this);
    auto* right_column = new QVBoxLayout(right);
    right_column->setContentsMargins(12, 0, 16, 12);
    right_column->setSpacing(8);
    right_column->addWidget(buildPrompt());
    right_column->addWidget(row_, 1);
    right_column->addWidget(buildStrip());
    splitter_ = new QSplitter(Qt::Horizontal, this);
    splitter_->addWidget(left);
    splitter_->addWidget(right);
    splitter_->setStretchFactor(1, 1);
    splitter_->setSizes({190, 900});
    splitter_->setChildrenCollapsible(false);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(splitter_);
    setFocusProxy(list_);

    connect(list_->selectionModel(), &QItemSelectionModel::currentChanged, this,
            [this](const QModelIndex& current) {
                refreshPosition();
                Q_EMIT currentChanged(current.row());
            });
    connect(model, &QAbstractItemModel::modelReset, this, &CardBrowser::refreshPosition);
    connect(lens_, &QComboBox::currentIndexChanged, this, &CardBrowser::chooseLens);
    connect(difference_, &QPushButton::clicked, row_, &CardRow::toggleDifference);
    connect(row_, &CardRow::tokenChanged, this, &CardBrowser::refreshStrip);
    foldPrompt(false);
    refreshStrip();
}

QFrame* CardBrowser::buildPrompt() {
    auto* frame = new QFrame(this);
    frame->setObjectName(QStringLiteral("prompt"));
    fold_ = new QToolButton(frame);
    fold_->setAutoRaise(true);
    fold_->setCheckable(true);
    fold_->setToolTip(tr("Show or fold the whole prompt (P)"));
    fold_->setAccessibleName(tr("Show the whole prompt"));
    prompt_title_ = new ElidedLabel({}, frame);
    QFont font = tabularFont(this->font());
    font.setWeight(QFont::DemiBold);
    prompt_title_->setFont(font);
    prompt_text_ = new QPlainTextEdit(frame);
    prompt_text_->setReadOnly(true);
    prompt_text_->setFont(monoFont(this->font()));
    prompt_text_->setMaximumHeight(140);
    prompt_text_->setTabChangesFocus(true);
    prompt_text_->setAccessibleName(tr("Prompt"));
    auto* head = new QHBoxLayout;
    head->addWidget(fold_);
    head->addWidget(prompt_title_, 1);
    auto* column = new QVBoxLayout(frame);
    column->setContentsMargins(8, 4, 8, 4);
    column->setSpacing(4);
    column->addLayout(head);
    column->addWidget(prompt_text_);
    connect(fold_, &QToolButton::toggled, this, &CardBrowser::foldPrompt);
    return frame;
}

QWidget* CardBrowser::buildStrip() {
    strip_ = new QWidget(this);
    legend_ = new LensLegend(strip_);
    token_ = new ElidedLabel({}, strip_);
    token_->setFont(tabularFont(font()));
    token_->setObjectName(QStringLiteral("token"));
    auto* row = new QHBoxLayout(strip_);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(16);
    row->addWidget(legend_);
    row->addWidget(token_, 1);
    return strip_;
}

void CardBrowser::foldPrompt(bool open) {
    prompt_text_->setVisible(open);
    fold_->setIcon(icon(open ? QStringLiteral("unfold") : QStringLiteral("fold")));
}

void CardBrowser::setPrompt(const QString& title, const QString& text, const QString& context) {
    context_ = context;
    prompt_title_->setText(title);
    if (prompt_text_->toPlainText() != text) prompt_text_->setPlainText(text);
}

void CardBrowser::setListCaption(const QString& text) {
    list_caption_->setText(text);
    list_caption_->setVisible(!text.isEmpty());
}

QString CardBrowser::listCaption() const {
    return list_caption_->text();
}

void CardBrowser::setCompletions(const QString& key, std::vector<Completion> completions, int chosen,
                                 int counted) {
    row_->setCompletions(key, std::move(completions), chosen, counted);
    const std::vector<Lens> lenses = row_->lenses();
    const Lens wanted = static_cast<Lens>(lens_->currentData().toInt());
    if (int(lenses.size()) != lens_->count()) {
        const QSignalBlocker quiet(lens_);
        lens_->clear();
        for (const Lens lens : lenses)
            lens_->addItem(lensName(lens), int(lens));
        int widest = 0;
        for (const Lens lens : lenses)
            widest = std::max(widest, lens_->fontMetrics().horizontalAdvance(lensName(lens)));
        lens_->setMinimumWidth(widest + 40);
        lens_->setCurrentIndex(std::max(0, lens_->findData(int(wanted))));
    }
    lens_->setEnabled(lenses.size() > 1);
    chooseLens();
}

void CardBrowser::clear() {
    setListCaption({});
    setPrompt({}, {});
    row_->setCompletions({}, {}, -1, 0); // the lens stays as it was chosen
    refreshStrip();
}

void CardBrowser::chooseLens() {
    row_->setLens(static_cast<Lens>(lens_->currentData().toInt()));
    askPieces();
    refreshStrip();
}

void CardBrowser::askPieces() {
    if (row_->lens() == Lens::none || row_->hasPieces()) return;
    if (asked_key_ != row_->key()) problem_.clear();
    asked_key_ = row_->key();
    Q_EMIT piecesWanted(asked_key_, row_->tokens());
}

void CardBrowser::setPieces(const QString& key, std::vector<std::vector<QString>> pieces,
                            const QString& problem) {
    if (key != row_->key()) return; // of a prompt that is no longer shown
    problem_ = problem;
    if (problem.isEmpty()) row_->setPieces(std::move(pieces));
    refreshStrip();
}

void CardBrowser::refreshStrip() {
    const Lens lens = row_->lens();
    strip_->setVisible(lens != Lens::none);
    legend_->setLens(lens);
    legend_->setVisible(problem_.isEmpty());
    const QString text = row_->tokenText();
    token_->setProperty("muted", text.isEmpty());
    token_->setText(!problem_.isEmpty() ? problem_
                    : !text.isEmpty()   ? text
                                        : tr("Point at a token, or step with comma and full stop."));
}

QString CardBrowser::tokenLineText() const {
    return token_->text();
}

void CardBrowser::refreshPosition() {
    const int rows = list_->model()->rowCount(), row = list_->currentIndex().row();
    position_->setText(rows > 0 && row >= 0 ? tr("%1 of %2").arg(row + 1).arg(rows) : QString());
    // Room for the last one, so that nothing beside it moves while one goes through them.
    position_->setMinimumWidth(position_->fontMetrics().horizontalAdvance(tr("%1 of %2").arg(rows).arg(rows))
                               + 2);
}

void CardBrowser::moveCurrent(int by) {
    const int rows = list_->model()->rowCount();
    const int row = std::clamp(list_->currentIndex().row() + by, 0, std::max(0, rows - 1));
    list_->setCurrentIndex(list_->model()->index(row, 0));
}

QString CardBrowser::markdown() const {
    const CompletionCard* card = row_->currentCard();
    return card
               ? markdownOf(prompt_title_->text() + context_, prompt_text_->toPlainText(), card->completion())
               : QString();
}

void CardBrowser::copyMarkdown() const {
    QGuiApplication::clipboard()->setText(markdown());
}

void CardBrowser::keyPressEvent(QKeyEvent* event) {
    if (!handleKey(event)) QWidget::keyPressEvent(event);
}

bool CardBrowser::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::KeyPress && handleKey(static_cast<QKeyEvent*>(event))) return true;
    return QWidget::eventFilter(watched, event);
}

bool CardBrowser::handleKey(QKeyEvent* event) {
    if (event->modifiers() & ~(Qt::KeypadModifier | Qt::ShiftModifier)) return false;
    const int key = event->key();
    if (page_keys_ && page_keys_(key)) return true;
    if (key >= Qt::Key_1 && key <= Qt::Key_9) {
        row_->togglePin(key - Qt::Key_1);
        return true;
    }
    switch (key) {
    case Qt::Key_J:
    case Qt::Key_Down:
        moveCurrent(1);
        return true;
    case Qt::Key_K:
    case Qt::Key_Up:
        moveCurrent(-1);
        return true;
    case Qt::Key_H:
    case Qt::Key_Left:
        row_->move(-1);
        return true;
    case Qt::Key_L:
    case Qt::Key_Right:
        row_->move(1);
        return true;
    case Qt::Key_D:
        difference_->click();
        return true;
    case Qt::Key_T:
        if (lens_->count() > 0) lens_->setCurrentIndex((lens_->currentIndex() + 1) % lens_->count());
        return true;
    case Qt::Key_Comma:
    case Qt::Key_Period:
        row_->moveToken(key == Qt::Key_Comma ? -1 : 1);
        return true;
    case Qt::Key_C:
        copyMarkdown();
        return true;
    case Qt::Key_P:
        fold_->toggle();
        return true;
    case Qt::Key_Return:
    case Qt::Key_Enter:
        row_->toggleWhole();
        return true;
    case Qt::Key_Escape:
        if (row_->difference()) {
            difference_->click();
            return true;
        }
        if (!row_->whole()) return false;
        row_->toggleWhole();
        return true;
    default:
        return false;
    }
}

} // namespace tempera
