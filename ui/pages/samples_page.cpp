#include "ui/pages/samples_page.h"

#include "ui/pages/card_browser.h"
#include "ui/pages/card_row.h"
#include "ui/theme/icons.h"
#include "ui/theme/text.h"
#include "ui/widgets/empty_state.h"
#include "ui/widgets/reading_order.h"
#include "ui/widgets/tool_row.h"

#include <QComboBox>
#include <QLineEdit>
#include <QListView>
#include <QPushButton>
#include <QSignalBlocker>
#include <QSplitter>
#include <QStackedWidget>
#include <QVBoxLayout>

#include <cmath>

namespace tempera {

SamplesPage::SamplesPage(QWidget* parent) : QWidget(parent), model_(new PromptListModel(this)) {
    setObjectName(QStringLiteral("page"));
    setAttribute(Qt::WA_StyledBackground);
    browser_ = new CardBrowser(model_, tr("Prompts"), this);
    browser_->splitter()->setObjectName(QStringLiteral("samples"));
    browser_->setPageKeys([this](int key) { return pageKey(key); });
    list_ = browser_->list();
    empty_ = new EmptyState({}, {}, this);
    stack_ = new QStackedWidget(this);
    stack_->addWidget(browser_);
    stack_->addWidget(empty_);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(buildTools());
    column->addWidget(stack_, 1);
    setReadingOrder({temperature_, best_of_, filter_, search_, browser_->lensBox(),
                     browser_->differenceButton(), browser_});

    search_timer_.setSingleShot(true);
    search_timer_.setInterval(200);
    connect(&search_timer_, &QTimer::timeout, this, &SamplesPage::askPrompts);
    connect(search_, &QLineEdit::textChanged, &search_timer_, qOverload<>(&QTimer::start));
    connect(temperature_, &QComboBox::currentIndexChanged, this, &SamplesPage::askPrompts);
    connect(best_of_, &QComboBox::currentIndexChanged, this, [this] { showSamples(); });
    connect(filter_, &QComboBox::currentIndexChanged, this, [this] {
        model_->setFilter(filter());
        if (!list_->currentIndex().isValid() && model_->rowCount() > 0)
            list_->setCurrentIndex(model_->index(0));
        showState();
    });
    connect(browser_, &CardBrowser::currentChanged, this, &SamplesPage::askSamples);
    connect(model_, &QAbstractItemModel::modelReset, this, [this] {
        const int row = model_->rowOf(wanted_prompt_);
        if (model_->rowCount() > 0) list_->setCurrentIndex(model_->index(std::max(0, row)));
    });
    setFocusProxy(browser_);
    showState();
}

QWidget* SamplesPage::buildTools() {
    auto* tools = new QWidget(this);
    auto* row = new ToolRow(tools);
    temperature_ = new QComboBox(tools);
    temperature_->setAccessibleName(tr("Temperature"));
    best_of_ = new QComboBox(tools);
    best_of_->setAccessibleName(tr("Best of N"));
    best_of_->setToolTip(tr("The verifier picks the best of the first N samples; the others are dimmed"));
    filter_ = new QComboBox(tools);
    filter_->addItems({tr("All prompts"), tr("Solved by some"), tr("Solved by none"), tr("Right and wrong"),
                       tr("Answer missing")});
    filter_->setToolTip(tr("Which prompts to list, by the verdicts (F: next)"));
    filter_->setAccessibleName(tr("Filter by verdict"));
    search_ = new QLineEdit(tools);
    search_->setPlaceholderText(tr("Search prompts and samples"));
    search_->setClearButtonEnabled(true);
    search_->addAction(icon(QStringLiteral("search")), QLineEdit::LeadingPosition);
    search_->setAccessibleName(search_->placeholderText());
    search_->setToolTip(search_->placeholderText());
    search_->setMinimumWidth(search_->fontMetrics().averageCharWidth() * 16);
    row->addLabelled(tr("&Temperature"), {temperature_});
    row->addLabelled(tr("&Best of"), {best_of_});
    row->addWidget(filter_);
    row->addWidget(search_);
    row->addWidget(browser_->lensBox());
    row->addWidget(browser_->differenceButton());
    row->addWidget(browser_->positionLabel());
    return tools;
}

CardRow* SamplesPage::row() const {
    return browser_->row();
}

QSplitter* SamplesPage::splitter() const {
    return browser_->splitter();
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

void SamplesPage::setRun(const RunRecord& run) {
    ended_ = has_ended(run.status);
    scoring_ = scoringOf(run);
    system_ = systemTurnOf(run);
    model_->setScoring(scoring_);
    const bool verdicts = scoring_ != Scoring::free;
    if (!verdicts) setFilter(VerdictFilter::all);
    filter_->setVisible(verdicts);
    showState();
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
        answered_.reset();
        model_->setPrompts(std::make_shared<PromptList>());
        browser_->clear();
        if (largest == 0) { // its prompts tell
            const QSignalBlocker quiet(best_of_);
            best_of_->clear();
        }
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
    answered_ = prompts->query;
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
    const std::int64_t prompt = model_->promptAt(row);
    if (prompt < 0 || !data_) return;
    wanted_prompt_ = prompt;
    Q_EMIT samplesWanted(toQt(data_->run_id), temperature(), prompt);
}

void SamplesPage::setSamples(const SampleSetPointer& samples) {
    if (!data_ || samples->run_id != data_->run_id || samples->prompt.index != wanted_prompt_
        || samples->temperature != temperature())
        return;
    samples_ = samples;
    if (best_of_->count() == 0) refreshCounts(static_cast<int>(samples->samples.size()));
    showSamples();
}

void SamplesPage::showSamples() {
    if (!samples_) return;
    const PromptRecord& prompt = samples_->prompt;
    const QString name = scoring_ == Scoring::verdict ? tr("Problem %1:  %2") : tr("Prompt %1:  %2");
    browser_->setPrompt(name.arg(prompt.index + 1).arg(promptLabel(prompt, system_)), toQt(prompt.text),
                        tr(", temperature %1").arg(temperatureText(samples_->temperature)));
    std::vector<Completion> completions;
    for (const Sample& sample : samples_->samples)
        completions.push_back(completionOf(sample, prompt, scoring_));
    const QString key =
        QStringLiteral("%1 %2 %3").arg(toQt(samples_->run_id)).arg(samples_->temperature).arg(prompt.index);
    browser_->setCompletions(key, std::move(completions), chosenOf(samples_->samples, bestOf()), bestOf());
}

void SamplesPage::showState() {
    const bool any = data_ && !data_->temperatures.empty();
    empty_->setSentence(any ? tr("No prompt at this temperature matches the filter and the search.")
                        : ended_
                            ? tr("The run ended before it drew a sample.")
                            : tr("The samples of every prompt appear here as they are drawn and scored."));
    const bool answered = answered_.has_value() && answered_ == query();
    stack_->setCurrentWidget(model_->rowCount() > 0 || (any && !answered) ? static_cast<QWidget*>(browser_)
                                                                          : empty_);
}

void SamplesPage::keyPressEvent(QKeyEvent* event) {
    if (!browser_->handleKey(event)) QWidget::keyPressEvent(event);
}

bool SamplesPage::pageKey(int key) {
    if (key == Qt::Key_F && filter_->isVisible())
        filter_->setCurrentIndex((filter_->currentIndex() + 1) % filter_->count());
    else if (key == Qt::Key_Slash)
        search_->setFocus();
    else
        return false;
    return true;
}

} // namespace tempera
