#include "ui/pages/win_rate_page.h"

#include "ui/charts/win_rate_bars.h"
#include "ui/pages/card_browser.h"
#include "ui/theme/icons.h"
#include "ui/theme/text.h"
#include "ui/widgets/elided_label.h"
#include "ui/widgets/empty_state.h"
#include "ui/widgets/reading_order.h"
#include "ui/widgets/tool_row.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QListView>
#include <QPushButton>
#include <QSplitter>
#include <QStackedWidget>
#include <QVBoxLayout>

#include <algorithm>

namespace tempera {

WinRatePage::WinRatePage(QWidget* parent) : QWidget(parent), model_(new ComparisonListModel(this)) {
    setObjectName(QStringLiteral("page"));
    setAttribute(Qt::WA_StyledBackground);
    bars_ = new WinRateBars(this);
    sentence_ = new ElidedLabel({}, this);
    sentence_->setProperty("muted", true);
    sentence_->setFont(tabularFont(font()));
    browser_ = new CardBrowser(model_, tr("Prompts"), this);
    browser_->setPageKeys([this](int key) { return pageKey(key); });
    browser_->splitter()->setSizes({260, 800});
    empty_ = new EmptyState({}, {}, this);
    stack_ = new QStackedWidget(this);
    stack_->addWidget(browser_);
    stack_->addWidget(empty_);
    auto* words = new QHBoxLayout;
    words->setContentsMargins(16, 0, 16, 0);
    words->addWidget(sentence_);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    auto* chart = new QVBoxLayout;
    chart->setContentsMargins(4, 0, 4, 0); // its title begins where the fields below do
    chart->addWidget(bars_);
    column->addLayout(chart);
    column->addLayout(words);
    column->addWidget(buildTools());
    column->addWidget(stack_, 1);
    setReadingOrder(
        {bars_, order_, filter_, search_, browser_->lensBox(), browser_->differenceButton(), browser_});
    connect(bars_, &WinRateBars::runClicked, this, &WinRatePage::runOpened);
    connect(browser_, &CardBrowser::currentChanged, this, &WinRatePage::showComparison);
    connect(model_, &QAbstractItemModel::modelReset, this, &WinRatePage::listChanged);
    connect(order_, &QComboBox::currentIndexChanged, this,
            [this](int index) { model_->setOrder(static_cast<ComparisonOrder>(index)); });
    connect(filter_, &QComboBox::currentIndexChanged, this,
            [this](int index) { model_->setFilter(static_cast<ComparisonFilter>(index)); });
    connect(search_, &QLineEdit::textChanged, model_, &ComparisonListModel::setSearch);
    setFocusProxy(browser_);
    showState();
}

QWidget* WinRatePage::buildTools() {
    auto* tools = new QWidget(this);
    auto* row = new ToolRow(tools);
    order_ = new QComboBox(tools);
    order_->addItems({tr("Worst first"), tr("Best first"), tr("In order")});
    order_->setAccessibleName(tr("Order of the prompts"));
    order_->setToolTip(tr("By how much the tuned score is above the base's (S: next)"));
    filter_ = new QComboBox(tools);
    filter_->addItems({tr("All prompts"), tr("Wins"), tr("Ties"), tr("Losses")});
    filter_->setAccessibleName(tr("Filter by result"));
    filter_->setToolTip(tr("Which prompts to list (F: next)"));
    search_ = new QLineEdit(tools);
    search_->setPlaceholderText(tr("Search prompts and replies"));
    search_->setClearButtonEnabled(true);
    search_->addAction(icon(QStringLiteral("search")), QLineEdit::LeadingPosition);
    search_->setAccessibleName(search_->placeholderText());
    search_->setToolTip(search_->placeholderText());
    search_->setMinimumWidth(search_->fontMetrics().averageCharWidth() * 24);
    row->addWidget(order_);
    row->addWidget(filter_);
    row->addWidget(search_);
    row->addWidget(browser_->lensBox());
    row->addWidget(browser_->differenceButton());
    row->addWidget(browser_->positionLabel());
    return tools;
}

void WinRatePage::setRun(const RunRecord& run) {
    ended_ = has_ended(run.status);
    showState();
}

void WinRatePage::setData(const RunDataPointer& data) {
    if (!data_ || data_->run_id != data->run_id) prompt_ = -1;
    data_ = data;
    bars_->setLines(data->win_rates, data->run_id);
    const auto mine = std::find_if(data->win_rates.begin(), data->win_rates.end(),
                                   [&](const WinRateLine& line) { return line.run_id == data->run_id; });
    sentence_->setText(mine != data->win_rates.end() && mine->rate.prompts > 0 ? bars_->describe(*mine)
                                                                               : QString());
    model_->setComparisons(data->comparisons);
    showState();
}

QString WinRatePage::sentence() const {
    return sentence_->text();
}

void WinRatePage::listChanged() {
    const int row = model_->rowOf(prompt_);
    if (model_->rowCount() > 0) browser_->list()->setCurrentIndex(model_->index(std::max(0, row)));
    showState();
}

void WinRatePage::showComparison() {
    const int row = browser_->list()->currentIndex().row();
    const Comparison* comparison = model_->at(row);
    if (!comparison || !data_) return;
    prompt_ = comparison->prompt_index;
    browser_->setPrompt(tr("Prompt %1:  %2")
                            .arg(prompt_ + 1)
                            .arg(promptLabel({prompt_, comparison->prompt, comparison->facts})),
                        toQt(comparison->prompt));
    browser_->setCompletions(QStringLiteral("%1 %2").arg(toQt(data_->run_id)).arg(prompt_),
                             {completionOf(comparison->base, Side::base, comparison->tuned.score),
                              completionOf(comparison->tuned, Side::tuned, comparison->base.score)},
                             comparison->tuned.score > comparison->base.score   ? 1
                             : comparison->base.score > comparison->tuned.score ? 0
                                                                                : -1,
                             2);
}

void WinRatePage::showState() {
    const bool any = data_ && !data_->comparisons->empty();
    empty_->setSentence(any ? tr("No prompt matches the filter and the search.")
                        : ended_
                            ? tr("The run ended before it scored a reply.")
                            : tr("Both models' replies to every prompt appear here as they are scored, the "
                                 "worst for the tuned model first."));
    stack_->setCurrentWidget(model_->rowCount() > 0 ? static_cast<QWidget*>(browser_) : empty_);
}

void WinRatePage::keyPressEvent(QKeyEvent* event) {
    if (!browser_->handleKey(event)) QWidget::keyPressEvent(event);
}

bool WinRatePage::pageKey(int key) {
    if (key == Qt::Key_F)
        filter_->setCurrentIndex((filter_->currentIndex() + 1) % filter_->count());
    else if (key == Qt::Key_S)
        order_->setCurrentIndex((order_->currentIndex() + 1) % order_->count());
    else if (key == Qt::Key_Slash)
        search_->setFocus();
    else
        return false;
    return true;
}

} // namespace tempera
