#include "ui/pages/samples_page.h"

#include "ui/models/prompt_delegate.h"
#include "ui/pages/sample_card.h"
#include "ui/pages/sample_row.h"
#include "ui/theme/icons.h"
#include "ui/theme/text.h"
#include "ui/widgets/empty_state.h"

#include <QClipboard>
#include <QComboBox>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QPlainTextEdit>
#include <QSignalBlocker>
#include <QSplitter>
#include <QStackedWidget>
#include <QToolButton>
#include <QVBoxLayout>

#include <cmath>

namespace tempera {

SamplesPage::SamplesPage(QWidget* parent) : QWidget(parent), model_(new PromptListModel(this)) {
    setObjectName(QStringLiteral("page"));
    setAttribute(Qt::WA_StyledBackground);
    list_ = new QListView(this);
    list_->setModel(model_);
    list_->setItemDelegate(new PromptDelegate(list_));
    list_->setUniformItemSizes(true);
    list_->setMouseTracking(true);
    list_->setAccessibleName(tr("Problems"));
    list_->setMinimumWidth(120);
    list_->installEventFilter(this);
    row_ = new SampleRow(this);
    auto* right = new QWidget(this);
    auto* right_column = new QVBoxLayout(right);
    right_column->setContentsMargins(12, 0, 12, 12);
    right_column->setSpacing(8);
    right_column->addWidget(buildPrompt());
    right_column->addWidget(row_, 1);
    splitter_ = new QSplitter(Qt::Horizontal, this);
    splitter_->setObjectName(QStringLiteral("samples"));
    splitter_->addWidget(list_);
    splitter_->addWidget(right);
    splitter_->setStretchFactor(1, 1);
    splitter_->setSizes({190, 900});
    splitter_->setChildrenCollapsible(false);
    empty_ = new EmptyState({}, {}, this);
    stack_ = new QStackedWidget(this);
    stack_->addWidget(splitter_);
    stack_->addWidget(empty_);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(buildTools());
    column->addWidget(stack_, 1);

    search_timer_.setSingleShot(true);
    search_timer_.setInterval(200);
    connect(&search_timer_, &QTimer::timeout, this, &SamplesPage::askPrompts);
    connect(search_, &QLineEdit::textChanged, &search_timer_, qOverload<>(&QTimer::start));
    connect(temperature_, &QComboBox::currentIndexChanged, this, &SamplesPage::askPrompts);
    connect(best_of_, &QComboBox::currentIndexChanged, this, [this] {
        if (samples_) row_->setSamples(samples_, bestOf());
    });
    connect(filter_, &QComboBox::currentIndexChanged, this, [this] {
        model_->setFilter(filter());
        if (!list_->currentIndex().isValid() && model_->rowCount() > 0)
            list_->setCurrentIndex(model_->index(0));
        showState();
    });
    connect(list_->selectionModel(), &QItemSelectionModel::currentChanged, this, &SamplesPage::askSamples);
    connect(model_, &QAbstractItemModel::modelReset, this, [this] {
        const int row = model_->rowOf(wanted_prompt_);
        if (model_->rowCount() > 0) list_->setCurrentIndex(model_->index(std::max(0, row)));
    });
    setFocusProxy(list_);
    showState();
}

QWidget* SamplesPage::buildTools() {
    auto* tools = new QWidget(this);
    auto* row = new QHBoxLayout(tools);
    row->setContentsMargins(16, 8, 16, 8);
    row->setSpacing(8);
    const auto labelled = [&](const QString& text, QWidget* field) {
        auto* label = new QLabel(text, tools);
        label->setBuddy(field);
        label->setProperty("muted", true);
        label->setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Preferred);
        label->setMinimumWidth(label->fontMetrics().horizontalAdvance(text)); // with the "&": room to spare
        row->addWidget(label);
        row->addWidget(field);
    };
    temperature_ = new QComboBox(tools);
    temperature_->setAccessibleName(tr("Temperature"));
    temperature_->setMinimumWidth(72);
    best_of_ = new QComboBox(tools);
    best_of_->setAccessibleName(tr("Best of N"));
    best_of_->setMinimumWidth(64);
    best_of_->setToolTip(tr("The verifier picks the best of the first N samples; the others are dimmed"));
    filter_ = new QComboBox(tools);
    filter_->addItems({tr("All problems"), tr("Solved by some"), tr("Solved by none"),
                       tr("Some right, some wrong"), tr("With a missing answer")});
    filter_->setToolTip(tr("Which problems to list, by the verdicts (F: next)"));
    filter_->setAccessibleName(tr("Filter by verdict"));
    search_ = new QLineEdit(tools);
    search_->setPlaceholderText(tr("Search prompts and samples"));
    search_->setClearButtonEnabled(true);
    search_->addAction(icon(QStringLiteral("search")), QLineEdit::LeadingPosition);
    search_->setAccessibleName(search_->placeholderText());
    search_->setMinimumWidth(140);
    position_ = new QLabel(tools);
    position_->setProperty("muted", true);
    position_->setFont(tabularFont(font()));
    labelled(tr("&Temperature"), temperature_);
    labelled(tr("&Best of"), best_of_);
    row->addWidget(filter_);
    row->addWidget(search_, 1);
    row->addWidget(position_);
    return tools;
}

QWidget* SamplesPage::buildPrompt() {
    prompt_ = new QFrame(this);
    prompt_->setObjectName(QStringLiteral("prompt"));
    fold_ = new QToolButton(prompt_);
    fold_->setAutoRaise(true);
    fold_->setCheckable(true);
    fold_->setToolTip(tr("Show or fold the whole prompt"));
    fold_->setAccessibleName(tr("Show the whole prompt"));
    prompt_title_ = new QLabel(prompt_);
    prompt_title_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    QFont font = tabularFont(this->font());
    font.setWeight(QFont::DemiBold);
    prompt_title_->setFont(font);
    prompt_text_ = new QPlainTextEdit(prompt_);
    prompt_text_->setReadOnly(true);
    prompt_text_->setFont(monoFont(this->font()));
    prompt_text_->setMaximumHeight(140);
    prompt_text_->setTabChangesFocus(true);
    prompt_text_->setAccessibleName(tr("Prompt"));
    auto* head = new QHBoxLayout;
    head->addWidget(fold_);
    head->addWidget(prompt_title_, 1);
    auto* column = new QVBoxLayout(prompt_);
    column->setContentsMargins(8, 4, 8, 4);
    column->setSpacing(4);
    column->addLayout(head);
    column->addWidget(prompt_text_);
    connect(fold_, &QToolButton::toggled, this, &SamplesPage::foldPrompt);
    foldPrompt(false);
    return prompt_;
}

void SamplesPage::foldPrompt(bool open) {
    prompt_text_->setVisible(open);
    fold_->setIcon(icon(open ? QStringLiteral("unfold") : QStringLiteral("fold")));
}

double SamplesPage::temperature() const {
    return temperature_->currentData().toDouble();
}

int SamplesPage::bestOf() const {
    return std::max(1, best_of_->currentData().toInt());
}

VerdictFilter SamplesPage::filter() const {
    return static_cast<VerdictFilter>(filter_->currentIndex());
}

void SamplesPage::setFilter(VerdictFilter filter) {
    filter_->setCurrentIndex(static_cast<int>(filter));
}

void SamplesPage::refreshCounts(int largest_n) {
    if (best_of_->count() == largest_n) return;
    const int kept = best_of_->count() > 0 ? bestOf() : largest_n;
    const QSignalBlocker quiet(best_of_);
    best_of_->clear();
    for (int n = 1; n <= largest_n; ++n)
        best_of_->addItem(QString::number(n), n);
    best_of_->setCurrentIndex(std::clamp(kept, 1, std::max(1, largest_n)) - 1);
}

void SamplesPage::setData(const RunDataPointer& data) {
    const bool other = !data_ || data_->run_id != data->run_id;
    const double kept = temperature();
    const bool same_temperatures = data_ && !other && data_->temperatures == data->temperatures;
    data_ = data;
    int largest = 0;
    for (const SweepCell& cell : data->cells)
        largest = std::max(largest, cell.n);
    if (largest > 0) refreshCounts(largest);
    if (!same_temperatures) {
        const QSignalBlocker quiet(temperature_);
        temperature_->clear();
        for (const double temperature : data->temperatures)
            temperature_->addItem(temperatureText(temperature), temperature);
        int index = 0;
        for (int i = 0; i < temperature_->count(); ++i)
            if (!other && std::abs(temperature_->itemData(i).toDouble() - kept) < 1e-9) index = i;
        temperature_->setCurrentIndex(temperature_->count() > 0 ? index : -1);
    }
    if (other) {
        wanted_prompt_ = -1;
        samples_.reset();
        asked_.reset();
    }
    if (isVisible() && query() && asked_ != query()) askPrompts();
    showState();
}

void SamplesPage::showCell(double temperature, int n) {
    if (best_of_->findData(n) < 0) refreshCounts(n);
    best_of_->setCurrentIndex(best_of_->findData(n));
    for (int i = 0; i < temperature_->count(); ++i)
        if (std::abs(temperature_->itemData(i).toDouble() - temperature) < 1e-9)
            temperature_->setCurrentIndex(i);
    askPrompts();
    list_->setFocus();
}

std::optional<PromptQuery> SamplesPage::query() const {
    if (!data_ || temperature_->currentIndex() < 0) return std::nullopt;
    return PromptQuery{data_->run_id, temperature(), search_->text().trimmed()};
}

void SamplesPage::askPrompts() {
    const auto wanted = query();
    if (!wanted) return;
    asked_ = wanted;
    Q_EMIT promptsWanted(*wanted);
    askSamples();
}

void SamplesPage::setPrompts(const PromptListPointer& prompts) {
    if (query() != prompts->query) return; // an answer to an older question
    model_->setPrompts(prompts);
    if (!list_->currentIndex().isValid() && model_->rowCount() > 0) list_->setCurrentIndex(model_->index(0));
    if (!prompts->prompts.empty() && best_of_->count() == 0) {
        std::size_t largest = 1;
        for (const PromptSummary& prompt : prompts->prompts)
            largest = std::max(largest, prompt.scores.size());
        refreshCounts(static_cast<int>(largest));
    }
    showState();
}

void SamplesPage::askSamples() {
    const int row = list_->currentIndex().row();
    position_->setText(
        model_->rowCount() > 0 && row >= 0 ? tr("%1 of %2").arg(row + 1).arg(model_->rowCount()) : QString());
    const std::int64_t prompt = model_->promptAt(row);
    if (prompt < 0 || !data_) return;
    wanted_prompt_ = prompt;
    Q_EMIT samplesWanted(toQt(data_->run_id), temperature(), prompt);
}

void SamplesPage::setSamples(const SampleSetPointer& samples) {
    if (!data_ || samples->run_id != data_->run_id || samples->prompt.index != wanted_prompt_
        || samples->temperature != temperature())
        return;
    const bool other = !samples_ || samples_->prompt.index != samples->prompt.index;
    samples_ = samples;
    prompt_title_->setText(
        tr("Problem %1:  %2").arg(samples->prompt.index + 1).arg(promptLabel(samples->prompt)));
    if (other || prompt_text_->toPlainText().isEmpty())
        prompt_text_->setPlainText(toQt(samples->prompt.text));
    if (best_of_->count() == 0) refreshCounts(static_cast<int>(samples->samples.size()));
    row_->setSamples(samples, bestOf());
}

void SamplesPage::showState() {
    if (!data_ || data_->temperatures.empty())
        empty_->setSentence(tr("The samples of every problem appear here as they are drawn and verified."));
    else
        empty_->setSentence(tr("No problem at this temperature matches the filter and the search."));
    const bool asked = asked_.has_value() && asked_ == query();
    stack_->setCurrentWidget(model_->rowCount() > 0 || (data_ && !data_->temperatures.empty() && !asked)
                                 ? static_cast<QWidget*>(splitter_)
                                 : empty_);
}

void SamplesPage::movePrompt(int by) {
    const int row = std::clamp(list_->currentIndex().row() + by, 0, std::max(0, model_->rowCount() - 1));
    list_->setCurrentIndex(model_->index(row));
}

void SamplesPage::keyPressEvent(QKeyEvent* event) {
    if (!handleKey(event)) QWidget::keyPressEvent(event);
}

bool SamplesPage::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::KeyPress && handleKey(static_cast<QKeyEvent*>(event))) return true;
    return QWidget::eventFilter(watched, event);
}

bool SamplesPage::handleKey(QKeyEvent* event) {
    if (event->modifiers() & ~(Qt::KeypadModifier | Qt::ShiftModifier)) return false;
    const int key = event->key();
    if (key >= Qt::Key_1 && key <= Qt::Key_9) {
        row_->togglePin(key - Qt::Key_1);
        return true;
    }
    switch (key) {
    case Qt::Key_J:
    case Qt::Key_Down:
        movePrompt(1);
        return true;
    case Qt::Key_K:
    case Qt::Key_Up:
        movePrompt(-1);
        return true;
    case Qt::Key_H:
    case Qt::Key_Left:
        row_->move(-1);
        return true;
    case Qt::Key_L:
    case Qt::Key_Right:
        row_->move(1);
        return true;
    case Qt::Key_F:
        filter_->setCurrentIndex((filter_->currentIndex() + 1) % filter_->count());
        return true;
    case Qt::Key_C:
        QGuiApplication::clipboard()->setText(markdown());
        return true;
    case Qt::Key_P:
        fold_->toggle();
        return true;
    case Qt::Key_Slash:
        search_->setFocus();
        return true;
    case Qt::Key_Return:
    case Qt::Key_Enter:
        row_->toggleWhole();
        return true;
    case Qt::Key_Escape:
        if (!row_->whole()) return false;
        row_->toggleWhole();
        return true;
    default:
        return false;
    }
}

QString SamplesPage::markdown() const {
    if (!samples_) return {};
    const SampleCard* card = row_->currentCard();
    if (!card) return {};
    const Sample& sample = card->sample();
    const auto fenced = [](const QString& text) -> QString {
        QString fence = QStringLiteral("```");
        while (text.contains(fence))
            fence += u'`'; // the text may hold fences of its own
        return fence + u'\n' + text + u'\n' + fence + u'\n';
    };
    return tr("**Problem %1** (%2), temperature %3\n\n")
               .arg(samples_->prompt.index + 1)
               .arg(promptLabel(samples_->prompt))
               .arg(sample.temperature)
           + fenced(toQt(samples_->prompt.text))
           + tr("\n**Sample %1**: score %2, %3 tokens, finish %4, logprob %5\n\n")
                 .arg(sample.sample_index + 1)
                 .arg(scoreText(sample.score))
                 .arg(sample.token_ids.size())
                 .arg(toQt(sample.finish))
                 .arg(sample.logprob, 0, 'f', 2)
           + fenced(toQt(sample.text))
           + QStringLiteral("\n%1. %2\n").arg(card->equationLine(), toQt(sample.reason));
}

} // namespace tempera
