#include "ui/pages/data_view.h"

#include "core/recipe/field.h"
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

std::vector<std::pair<QString, Json>> usesOf(DataTask task, const std::string& data,
                                             const ColumnMapping& columns) {
    const std::map<DataTask, std::vector<std::string>> kinds{
        {DataTask::sft, {"sft"}},
        {DataTask::preferences, {"dpo", "reward"}},
        {DataTask::prompts, {"rloo", "pairs", "win_rate"}},
        {DataTask::countdown, {"sft", "rloo", "pairs", "win_rate"}}};
    std::vector<std::pair<QString, Json>> uses;
    for (const RecipeKind& kind : recipe_kinds()) {
        const auto& fitting = kinds.at(task);
        if (std::find(fitting.begin(), fitting.end(), kind.kind) == fitting.end()) continue;
        Json recipe{{"kind", kind.kind}};
        for (const Field& field : kind.fields) {
            if (field.type == Field::Type::data_file && !recipe.contains("data")
                && !recipe.contains("prompts"))
                recipe[field.name] = data;
            if (field.name == "columns" && !columns.empty()) recipe["columns"] = columns.text();
        }
        if (recipe.size() > 1) uses.emplace_back(toQt(kind.title), std::move(recipe));
    }
    return uses;
}

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
    connect(reader_, &DataReader::counted, this, [this](int split, qint64 rows, bool all) {
        if (std::size_t(split) == split_) counted(rows, all);
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
                if (std::size_t(split) == split_ && row->index == row_) chat_->setRow(*row);
            });
    connect(reader_, &DataReader::tokensReady, this,
            [this](qint64 index, const std::shared_ptr<const std::vector<TokenPreview>>& tokens,
                   const QString& problem) {
                if (index != row_) return;
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
    path_ = path;
    reader_->open(path);
}

void DataView::setModels(const ShelfPointer& models) {
    panel_->setModels(models);
}

void DataView::overviewArrived(const DataOverviewPointer& overview) {
    overview_ = overview;
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
    splitChosen(0);
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
    rows_ = 0;
    all_counted_ = false;
    fitted_ = false;
    report_.reset();
    const DataSplitInfo& info = overview_->splits[split_];
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
        counted(*info.rows, true);
    else
        reader_->count(split_);
    readingChanged();
}

void DataView::counted(std::int64_t rows, bool all) {
    rows_ = rows;
    all_counted_ = all;
    model_->setCount(rows);
    const QSignalBlocker quiet(row_box_);
    row_box_->setRange(1, int(std::clamp<std::int64_t>(rows, 1, RowTableModel::most_rows)));
    count_label_->setText((all ? tr("%1 rows") : tr("%1 rows …")).arg(wholeText(rows)));
    count_label_->setToolTip(all ? QString() : tr("They are being counted"));
    if (rows > RowTableModel::most_rows)
        count_label_->setText(
            tr("first %1 of %2 rows").arg(wholeText(RowTableModel::most_rows), wholeText(rows)));
    if (rows > 0 && !table_->currentIndex().isValid()) table_->setCurrentIndex(model_->index(0, 0));
    showFacts();
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
    if (tabs_->currentIndex() == chat_tab || tabs_->currentIndex() == tokens_tab)
        reader_->wantRow(split_, row_, panel_->reading(), tokens);
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
    const bool usable = !panel_->mapping().empty();
    if (usable)
        for (const auto& [title, recipe] : usesOf(reading.task, reference(), reading.columns))
            menu->addAction(icon(toQt(recipe.value("kind", std::string()))), title, this,
                            [this, recipe = recipe] { Q_EMIT newRunRequested(recipe); });
    use_->setEnabled(!menu->isEmpty());
    use_->setToolTip(usable ? QString() : tr("These columns make no row for what is chosen at the right"));
}

void DataView::showFacts() {
    if (!overview_) return;
    const DataSplitInfo& info = overview_->splits[split_];
    std::vector<Fact> facts;
    for (const DataSplitInfo& split : overview_->splits) {
        const bool current = &split == &info;
        const QString name = split.split.name.empty() ? tr("Rows") : toQt(split.split.name);
        QString text = current      ? (all_counted_ ? tr("%1 rows").arg(wholeText(rows_))
                                                    : tr("more than %1 rows").arg(wholeText(rows_)))
                       : split.rows ? tr("%1 rows").arg(wholeText(*split.rows))
                                    : tr("not counted yet");
        facts.push_back({name, QStringLiteral("%1, %2").arg(text, bytesText(double(split.split.bytes)))});
    }
    facts.push_back({tr("Files"), QString::number(info.split.files.size())});
    for (const std::string& note : info.split.notes)
        facts.push_back({tr("Not read"), toQt(note)});
    if (!origin_.copy.empty())
        facts.push_back(
            {tr("Copy"),
             tr("%1; look it up again under “Open data” for what is newer").arg(toQt(origin_.copy))});
    if (report_) {
        const LengthHistogram& lengths = report_->lengths;
        facts.push_back({tr("Usable"), wholeText(report_->usable)});
        facts.push_back({tr("Length"), tr("median %1, 95 % below %2, longest %3 %4")
                                           .arg(wholeText(lengths.median), wholeText(lengths.p95),
                                                wholeText(lengths.longest), toQt(lengths.unit))});
    }
    panel_->setFacts(std::move(facts));
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
