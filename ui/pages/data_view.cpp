#include "ui/pages/data_view.h"

#include "ui/models/row_table_model.h"
#include "ui/pages/check_view.h"
#include "ui/pages/data_panel.h"
#include "ui/theme/icons.h"
#include "ui/theme/text.h"
#include "ui/widgets/chat_view.h"
#include "ui/widgets/elided_label.h"
#include "ui/widgets/fact_grid.h"
#include "ui/widgets/page_head.h"
#include "ui/widgets/page_stack.h"
#include "ui/widgets/shrinkable.h"
#include "ui/widgets/token_view.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QKeyEvent>
#include <QLabel>
#include <QMenu>
#include <QPushButton>
#include <QScrollArea>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QSplitter>
#include <QTabBar>
#include <QTableView>
#include <QTextEdit>
#include <QVBoxLayout>

#include <algorithm>
#include <utility>

namespace tempera {

DataView::DataView(QWidget* parent)
    : QWidget(parent), reader_(new DataReader(this)), model_(new RowTableModel(this)) {
    setObjectName(QStringLiteral("page"));
    setAttribute(Qt::WA_StyledBackground);
    QWidget* head = buildHead();
    buildTable();
    chat_ = new ChatView(this);
    chat_->installEventFilter(this);
    QWidget* tokens = buildTokens();
    check_ = new CheckView(this);
    stack_ = new PageStack(this);
    for (QWidget* page : std::initializer_list<QWidget*>{table_, chat_, tokens, check_})
        stack_->addWidget(page);
    panel_ = new DataPanel(this);
    auto* scroll = new QScrollArea(this);
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setWidget(panel_);
    scroll->setMinimumWidth(std::max(220, fontMetrics().averageCharWidth() * 34));
    scroll->setFocusPolicy(Qt::NoFocus);
    splitter_ = new QSplitter(Qt::Horizontal, this);
    splitter_->addWidget(stack_);
    splitter_->addWidget(scroll);
    splitter_->setStretchFactor(0, 1);
    splitter_->setSizes({700, 260});
    splitter_->setChildrenCollapsible(false);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(head);
    column->addWidget(splitter_, 1);
    row_timer_.setSingleShot(true);
    row_timer_.setInterval(30);
    connect(&row_timer_, &QTimer::timeout, this, &DataView::askForRow);
    late_timer_.setSingleShot(true);
    late_timer_.setInterval(250);
    connect(&late_timer_, &QTimer::timeout, this, [this] { // what is shown is another row's
        chat_->setRow({});
        tokens_->setProblem(tr("Row %1 is being read …").arg(wholeText(row_ + 1)));
    });
    connectReader();
}

QWidget* DataView::buildHead() {
    auto* head = new PageHead(this);
    name_ = head->name();
    about_ = head->about();
    count_label_ = new ElidedLabel({}, head);
    count_label_->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    count_label_->setFont(tabularFont(this->font()));
    count_label_->setProperty("muted", true);
    use_ = new QPushButton(tr("Use in a new run"), head);
    use_->setProperty("primary", true);
    use_->setMenu(new QMenu(use_));
    tabs_ = new QTabBar(head);
    tabs_->setExpanding(false);
    tabs_->setDrawBase(false);
    tabs_->setSizePolicy(QSizePolicy::Minimum, QSizePolicy::Fixed); // the count is cut before a tab
    tabs_->setAccessibleName(tr("Pages of the data set"));
    tabs_->addTab(tr("Rows"));
    tabs_->addTab(tr("Conversation"));
    tabs_->addTab(tr("Tokens"));
    tabs_->addTab(tr("Check"));
    row_box_ = new QSpinBox(head);
    row_box_->setPrefix(tr("row "));
    row_box_->setRange(1, 1);
    row_box_->setButtonSymbols(QAbstractSpinBox::NoButtons);
    row_box_->setAccessibleName(tr("Row that is shown"));
    row_box_->setToolTip(tr("J and K, or the arrows, go on and back"));
    split_label_ = new QLabel(tr("&Split"), head);
    split_box_ = new QComboBox(head);
    split_box_->setAccessibleName(tr("Split"));
    shrinkable(split_box_, 10);
    split_label_->setBuddy(split_box_);
    head->line()->addWidget(use_, 0, Qt::AlignTop);
    auto* fields = new QHBoxLayout; // the tabs stand on the line below, these do not
    fields->setContentsMargins(0, 0, 0, 4);
    fields->setSpacing(8);
    fields->addWidget(count_label_, 1);
    fields->addWidget(row_box_);
    fields->addWidget(split_label_);
    fields->addWidget(split_box_);
    auto* bar = new QHBoxLayout;
    bar->setSpacing(8);
    bar->addWidget(tabs_, 0, Qt::AlignBottom);
    bar->addLayout(fields, 1);
    head->column()->addLayout(bar);
    head->column()->setContentsMargins(8, 12, 16, 0); // a tab brings 8 px of its own
    head->line()->setContentsMargins(8, 0, 0, 0);
    head->column()->setSpacing(4);
    connect(tabs_, &QTabBar::currentChanged, this, [this](int tab) {
        stack_->setCurrentIndex(tab);
        wantRow();
    });
    connect(split_box_, &QComboBox::activated, this, &DataView::splitChosen);
    connect(row_box_, &QSpinBox::valueChanged, this, [this](int row) { goTo(row - 1); });
    return head;
}

void DataView::buildTable() {
    table_ = new QTableView(this);
    table_->setModel(model_);
    table_->setSelectionBehavior(QAbstractItemView::SelectRows);
    table_->setSelectionMode(QAbstractItemView::SingleSelection);
    table_->setWordWrap(false);
    table_->setShowGrid(false);
    table_->setVerticalScrollMode(QAbstractItemView::ScrollPerItem);
    table_->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    table_->setFont(tabularFont(font()));
    table_->setAccessibleName(tr("Rows of the data set"));
    table_->setTabKeyNavigation(false);
    table_->verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    table_->verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 12);
    table_->horizontalHeader()->setDefaultSectionSize(240);
    table_->horizontalHeader()->setStretchLastSection(true);
    table_->horizontalHeader()->setHighlightSections(false);
    no_rows_ = new QLabel(table_);
    no_rows_->setProperty("muted", true);
    no_rows_->setAlignment(Qt::AlignCenter);
    no_rows_->setWordWrap(true);
    no_rows_->setTextFormat(Qt::PlainText);
    no_rows_->hide();
    auto* middle = new QVBoxLayout(table_->viewport());
    middle->setContentsMargins(24, 24, 24, 24);
    middle->addWidget(no_rows_);
    table_->installEventFilter(this);
    connect(table_->selectionModel(), &QItemSelectionModel::currentRowChanged, this,
            [this](const QModelIndex& current) {
                if (current.isValid()) setRow(current.row());
            });
    connect(table_, &QTableView::activated, this, [this] { showTab(chat_tab); });
    connect(model_, &RowTableModel::rowsWanted, this,
            [this](qint64 offset, int count) { reader_->wantRows(split_, offset, std::size_t(count)); });
}

QWidget* DataView::buildTokens() {
    auto* page = new QWidget(this);
    page->setObjectName(QStringLiteral("page"));
    page->setAttribute(Qt::WA_StyledBackground);
    tokens_ = new TokenView(page);
    tokens_->text()->installEventFilter(this);
    auto* column = new QVBoxLayout(page);
    column->setContentsMargins(16, 12, 16, 12);
    column->addWidget(tokens_);
    return page;
}

void DataView::connectReader() {
    connect(reader_, &DataReader::opened, this, &DataView::overviewArrived);
    connect(reader_, &DataReader::failed, this, &DataView::failed);
    connect(reader_, &DataReader::troubled, this, &DataView::showTrouble);
    connect(reader_, &DataReader::counted, this, [this](int split, qint64 rows, bool all) {
        if (std::size_t(split) == split_)
            counted({rows, all ? SplitCount::State::all : SplitCount::State::counting});
        else if (all)
            other_rows_[std::size_t(split)] = rows;
        if (all) countOthers();
    });
    connect(reader_, &DataReader::rowsReady, this,
            [this](int split, qint64 offset, const std::shared_ptr<const std::vector<JsonRow>>& rows) {
                if (std::size_t(split) != split_) return;
                model_->setRows(offset, *rows);
                if (!std::exchange(fitted_, true)) fitColumns();
            });
    connect(reader_, &DataReader::dropped, this, [this](int split, qint64 offset) {
        if (std::size_t(split) == split_) model_->forget(offset);
    });
    connect(reader_, &DataReader::rowReady, this,
            [this](int split, const std::shared_ptr<const ShownRow>& row) {
                if (std::size_t(split) != split_ || row->index != row_) return;
                chat_->setRow(*row);
                if (tabs_->currentIndex() == chat_tab || panel_->tokens().model.empty()) late_timer_.stop();
            });
    connect(reader_, &DataReader::tokensReady, this,
            [this](qint64 index, const std::shared_ptr<const std::vector<TokenPreview>>& tokens,
                   const QString& problem) {
                if (index != row_) return;
                late_timer_.stop();
                if (problem.isEmpty())
                    tokens_->setPreviews(*tokens, panel_->tokens().max_length);
                else
                    tokens_->setProblem(problem);
            });
    connect(reader_, &DataReader::checkProgressed, check_, &CheckView::setProgress);
    connect(reader_, &DataReader::checked, this,
            [this](int split, const std::shared_ptr<const ValidationReport>& report) {
                check_->setRunning(false);
                if (std::size_t(split) != split_) return;
                report_ = report;
                check_->setReport(report, checked_length_);
                showFacts();
            });
    connect(reader_, &DataReader::checkFailed, this, [this](const QString& sentence) {
        check_->setRunning(false);
        check_->setProblem(sentence);
    });
    connect(check_, &CheckView::checkRequested, this, &DataView::startCheck);
    connect(check_, &CheckView::stopRequested, reader_, &DataReader::stopCheck);
    connect(check_, &CheckView::rowRequested, this, [this](qint64 row) {
        goTo(row);
        showTab(rows_tab);
        table_->setFocus();
    });
    connect(panel_, &DataPanel::readingChanged, this, &DataView::readingChanged);
    connect(panel_, &DataPanel::tokensChanged, this, &DataView::wantRow);
}

void DataView::open(const QString& path) {
    const bool again = overview_ && path == path_;
    row_before_ = again ? row_ : -1;
    split_before_ = again ? split_box_->currentText() : QString();
    path_ = path;
    reader_->open(path);
}

void DataView::setModels(const ShelfPointer& models) {
    panel_->setModels(models);
}

void DataView::overviewArrived(const DataOverviewPointer& overview) {
    overview_ = overview;
    other_rows_.clear();
    origin_ = {};
    const std::filesystem::path& path = overview->path;
    showName();
    std::uint64_t bytes = 0;
    for (const DataSplitInfo& split : overview->splits)
        bytes += split.split.bytes;
    about_->setText(QStringLiteral("%1  ·  %2  ·  %3")
                        .arg(overview->format, bytesText(double(bytes)), toQt(path.string())));
    split_box_->clear();
    for (const DataSplitInfo& split : overview->splits)
        split_box_->addItem(split.split.name.empty() ? tr("all rows") : toQt(split.split.name));
    split_box_->setVisible(overview->splits.size() > 1);
    split_label_->setVisible(overview->splits.size() > 1);
    check_->setRunning(false);
    const int before = std::max(0, split_box_->findText(split_before_));
    split_box_->setCurrentIndex(before);
    splitChosen(before);
    Q_EMIT opened(path_);
}

void DataView::setOrigin(CachedRepository origin) {
    origin_ = std::move(origin);
    if (!overview_) return;
    showName();
    showUses();
    showFacts();
}

void DataView::showName() {
    const std::filesystem::path& path = overview_->path;
    name_->setText(toQt(!origin_.name.empty()     ? origin_.name
                        : path.filename().empty() ? path.parent_path().filename().string()
                                                  : path.filename().string()));
}

void DataView::splitChosen(int split) {
    if (!overview_ || split < 0 || split >= int(overview_->splits.size())) return;
    reader_->stopCheck(); // of the split before
    split_ = std::size_t(split);
    row_ = 0;
    count_ = {};
    fitted_ = false;
    report_.reset();
    showTrouble({});
    const DataSplitInfo& info = overview_->splits[split_];
    count_label_->setText({});
    chat_->setRow({});
    model_->setColumns(info.columns);
    check_->setSplits(*overview_, split_);
    check_->setReport(nullptr, 0);
    {
        const QSignalBlocker quiet(row_box_);
        row_box_->setRange(1, 1);
        row_box_->setButtonSymbols(QAbstractSpinBox::NoButtons);
        row_box_->setValue(1);
    }
    panel_->setSplit(info);
    if (info.rows)
        counted({*info.rows, SplitCount::State::all});
    else if (!info.problem.isEmpty())
        counted({0, SplitCount::State::broken});
    else
        reader_->count(split_);
    readingChanged();
}

void DataView::showTrouble(const QString& sentence) {
    delete trouble_;
    if (sentence.isEmpty()) return;
    late_timer_.stop();
    trouble_ = new Banner(Banner::Kind::error, sentence, {}, this);
    trouble_->setClosable(false);
    connect(trouble_->addAction(tr("Read again")), &QPushButton::clicked, this, [this] { open(path_); });
    static_cast<QVBoxLayout*>(layout())->insertWidget(1, trouble_);
    // What was counted so far is what there is: counting has ended, or meets the same.
    if (count_.state == SplitCount::State::counting) counted({count_.rows, SplitCount::State::broken});
}

void DataView::showNoRows() {
    const bool none = count_.rows == 0 && count_.state != SplitCount::State::counting;
    const QString& problem = overview_->splits[split_].problem;
    no_rows_->setText(!problem.isEmpty() ? problem : tr("No row is in this file."));
    no_rows_->setVisible(none && !trouble_);
}

void DataView::counted(const SplitCount& count) {
    count_ = count;
    const bool counting = count.state == SplitCount::State::counting;
    model_->setCount(count.rows);
    {
        const QSignalBlocker quiet(row_box_);
        row_box_->setRange(1, int(std::clamp<std::int64_t>(count.rows, 1, RowTableModel::most_rows)));
    }
    count_label_->setText(counting ? tr("%1 rows …").arg(wholeText(count.rows)) : countText(count));
    count_label_->setToolTip(counting ? tr("They are being counted") : QString());
    if (count.rows > RowTableModel::most_rows)
        count_label_->setText(
            tr("first %1 of %2 rows").arg(wholeText(RowTableModel::most_rows), wholeText(count.rows)));
    if (count.rows > 0 && !table_->currentIndex().isValid()) table_->setCurrentIndex(model_->index(0, 0));
    if (row_before_ >= 0 && row_before_ < model_->rowCount()) goTo(std::exchange(row_before_, -1));
    showNoRows();
    showUses();
    showFacts();
}

/// One after the other, once the one that is shown is counted.
void DataView::countOthers() {
    if (count_.state == SplitCount::State::all) other_rows_[split_] = count_.rows;
    showFacts();
    for (std::size_t i = 0; i < overview_->splits.size(); ++i) {
        const DataSplitInfo& split = overview_->splits[i];
        if (split.rows || !split.problem.isEmpty() || other_rows_.contains(i)) continue;
        return reader_->count(i, DataReader::Faults::hidden);
    }
}

void DataView::fitColumns() {
    constexpr int looked_at = 40; // rows
    const QFontMetrics metrics(table_->font());
    const int most = metrics.averageCharWidth() * 40, padding = 24;
    for (int column = 0; column < model_->columnCount(); ++column) {
        int width =
            metrics.horizontalAdvance(model_->headerData(column, Qt::Horizontal, Qt::DisplayRole).toString());
        for (int row = 0; row < std::min(looked_at, model_->rowCount()); ++row)
            width = std::max(
                width, metrics.horizontalAdvance(model_->index(row, column).data().toString().left(80)));
        table_->setColumnWidth(column, std::min(width, most) + padding);
    }
}

void DataView::readingChanged() {
    showUses();
    wantRow();
}

void DataView::goTo(qint64 row) {
    if (row < 0 || row >= model_->rowCount()) return;
    table_->setCurrentIndex(model_->index(int(row), 0));
    table_->scrollTo(model_->index(int(row), 0), QAbstractItemView::EnsureVisible);
    setRow(row);
}

void DataView::setRow(qint64 row) {
    row_ = row;
    const QSignalBlocker quiet(row_box_);
    row_box_->setValue(int(row + 1));
    wantRow();
}

void DataView::showTab(int tab) {
    tabs_->setCurrentIndex(tab);
    if (tab == chat_tab) chat_->setFocus();
}

void DataView::wantRow() {
    if (overview_ && !row_timer_.isActive()) row_timer_.start();
}

void DataView::askForRow() {
    TokenWish tokens;
    if (tabs_->currentIndex() == tokens_tab) {
        tokens = panel_->tokens();
        if (tokens.model.empty())
            tokens_->setProblem(tr("Choose at the right whose tokenizer reads the rows."));
    }
    if (tabs_->currentIndex() == chat_tab || tabs_->currentIndex() == tokens_tab) {
        late_timer_.start();
        reader_->wantRow(split_, row_, panel_->reading(), tokens);
    }
}

void DataView::startCheck() {
    ValidationOptions options;
    const DataReading reading = panel_->reading();
    options.task = reading.task;
    options.columns = reading.columns.empty() ? std::string() : reading.columns.text();
    const TokenWish tokens = panel_->tokens();
    options.model = tokens.model;
    options.max_length = checked_length_ = tokens.max_length;
    options.train = check_->compared();
    check_->setRunning(true);
    reader_->check(split_, options);
}

std::string DataView::reference() const {
    const std::string path = origin_.name.empty() ? fromQt(path_) : origin_.name;
    const bool named = overview_ && overview_->splits.size() > 1;
    return named ? path + "#" + overview_->splits[split_].split.name : path;
}

void DataView::showUses() {
    QMenu* menu = use_->menu();
    menu->clear();
    const DataReading reading = panel_->reading();
    const bool mapped = !panel_->mapping().empty();
    const bool none = count_.rows == 0 && count_.state != SplitCount::State::counting;
    if (mapped && !none)
        for (const auto& [title, recipe] : usesOf(reading.task, reference(), reading.columns))
            menu->addAction(icon(toQt(recipe.value("kind", std::string()))), title, this,
                            [this, recipe = recipe] { Q_EMIT newRunRequested(recipe); });
    use_->setEnabled(!menu->isEmpty());
    use_->setToolTip(none     ? tr("There is no row to use")
                     : mapped ? QString()
                              : tr("These columns make no row for what is chosen at the right"));
}

void DataView::showFacts() {
    if (overview_) panel_->setFacts(factsOf(*overview_, split_, count_, other_rows_, origin_, report_.get()));
}

bool DataView::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::KeyPress) {
        const auto* key = static_cast<QKeyEvent*>(event);
        const int by = key->key() == Qt::Key_J ? 1 : key->key() == Qt::Key_K ? -1 : 0;
        if (by != 0 && key->modifiers() == Qt::NoModifier) {
            goTo(row_ + by);
            return true;
        }
    }
    return QWidget::eventFilter(watched, event);
}

} // namespace tempera
