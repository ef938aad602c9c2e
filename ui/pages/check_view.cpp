#include "ui/pages/check_view.h"

#include "ui/charts/length_histogram.h"
#include "ui/models/issue_tree_model.h"
#include "ui/theme/text.h"
#include "ui/widgets/elided_label.h"
#include "ui/widgets/empty_state.h"
#include "ui/widgets/reading_order.h"
#include "ui/widgets/shrinkable.h"
#include "ui/widgets/tool_row.h"

#include <QComboBox>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QSplitter>
#include <QStackedWidget>
#include <QTreeView>
#include <QVBoxLayout>

namespace tempera {

CheckView::CheckView(QWidget* parent) : QWidget(parent), model_(new IssueTreeModel(this)) {
    setObjectName(QStringLiteral("page"));
    setAttribute(Qt::WA_StyledBackground);
    auto* tools = new QWidget(this);
    compared_ = new QComboBox(tools);
    compared_->setAccessibleName(tr("Split whose prompts must not stand in this one"));
    shrinkable(compared_, 12);
    button_ = new QPushButton(tr("Check all rows"), tools);
    button_->setToolTip(tr("Reads the split through as a run would"));
    status_ = new ElidedLabel({}, tools);
    status_->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    status_->setFont(tabularFont(font()));
    status_->setProperty("muted", true);
    bar_ = new QProgressBar(this);
    bar_->setTextVisible(false);
    bar_->setRange(0, 1000);
    auto* row = new ToolRow(tools);
    row->addWidget(button_);
    compared_field_ = row->addLabelled(tr("Prompts must not stand &in"), {compared_});
    row->addWidget(status_);
    summary_ = new QLabel(this);
    summary_->setWordWrap(true);
    summary_->setFont(tabularFont(font()));
    summary_->setContentsMargins(16, 0, 16, 8);
    issues_ = new QTreeView(this);
    issues_->setModel(model_);
    issues_->setHeaderHidden(true);
    issues_->setUniformRowHeights(true);
    issues_->setAccessibleName(tr("What is the matter with rows; Enter shows the row"));
    issues_->setToolTip(tr("Enter or a double click shows the row"));
    lengths_ = new LengthHistogramChart(this);
    splitter_ = new QSplitter(Qt::Horizontal, this);
    splitter_->addWidget(issues_);
    splitter_->addWidget(lengths_);
    splitter_->setSizes({360, 360});
    splitter_->setChildrenCollapsible(false);
    empty_ =
        new EmptyState(tr("A check reads every row as a run would: how many can be used, what is the matter "
                          "with the others, which stand twice, how long they are."),
                       tr("Check all rows"), this);
    stack_ = new QStackedWidget(this);
    stack_->addWidget(empty_);
    stack_->addWidget(splitter_);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(tools);
    column->addWidget(bar_);
    column->addWidget(summary_);
    column->addWidget(stack_, 1);
    setReadingOrder({button_, compared_, stack_});
    connect(empty_, &EmptyState::triggered, this, &CheckView::checkRequested);
    connect(button_, &QPushButton::clicked, this, [this] {
        if (running_)
            Q_EMIT stopRequested();
        else
            Q_EMIT checkRequested();
    });
    connect(issues_, &QTreeView::activated, this, &CheckView::rowActivated);
    connect(issues_, &QTreeView::doubleClicked, this, &CheckView::rowActivated);
    setRunning(false);
    setReport(nullptr, 0);
}

void CheckView::setSplits(const DataOverview& overview, std::size_t current) {
    compared_->clear();
    compared_->addItem(tr("any: not looked for"), QString());
    const QString checked = toQt(overview.splits[current].split.name);
    for (std::size_t i = 0; i < overview.splits.size(); ++i) {
        if (i == current) continue;
        const QString name = toQt(overview.splits[i].split.name);
        compared_->addItem(name, QString(toQt(overview.path.string()) + u'#' + name));
        // test rows are looked for in train
        if (!checked.contains(QStringLiteral("train")) && name.startsWith(QStringLiteral("train")))
            compared_->setCurrentIndex(compared_->count() - 1);
    }
    compared_field_->setVisible(overview.splits.size() > 1);
}

std::string CheckView::compared() const {
    return fromQt(compared_->currentData().toString());
}

void CheckView::setRunning(bool running) {
    running_ = running;
    button_->setText(running ? tr("Stop") : tr("Check all rows"));
    button_->setVisible(running || stack_->currentWidget() == splitter_); // else the empty page has one
    empty_->button()->setEnabled(!running);
    bar_->setVisible(running);
    bar_->setValue(0);
    status_->setText(running ? tr("reading …") : QString());
    if (!running) return;
    meter_ = {};
    clock_.start();
    summary_->clear();
}

void CheckView::setProgress(double share, std::int64_t rows) {
    meter_.add(double(clock_.elapsed()) / 1000, share);
    bar_->setValue(int(share * 1000));
    const QString eta = etaText(meter_.eta(1), QDateTime::currentDateTime());
    status_->setText(eta.isEmpty() ? tr("%1 rows").arg(wholeText(rows))
                                   : tr("%1 rows   %2").arg(wholeText(rows), eta));
}

void CheckView::setReport(const std::shared_ptr<const ValidationReport>& report, std::int64_t max_length) {
    model_->setReport(report);
    stack_->setCurrentWidget(report ? static_cast<QWidget*>(splitter_) : empty_);
    button_->setVisible(report || running_);
    if (!report) {
        summary_->clear();
        return;
    }
    lengths_->setLengths(report->lengths, report->lengths.unit == "tokens" ? max_length : 0);
    const QString read = report->whole ? tr("%1 rows").arg(wholeText(report->rows))
                                       : tr("stopped after %1 rows").arg(wholeText(report->rows));
    QString text =
        tr("%1, %2 of them can be used (%3).")
            .arg(read, wholeText(report->usable),
                 percentText(report->rows > 0 ? double(report->usable) / double(report->rows) : 0, 1));
    if (report->issues.empty()) text += tr(" Nothing is the matter with them.");
    summary_->setText(text);
    if (model_->rowCount() <= 3) issues_->expandAll();
}

void CheckView::setProblem(const QString& sentence) {
    summary_->setText(sentence);
}

void CheckView::rowActivated() {
    const std::int64_t row = model_->rowAt(issues_->currentIndex());
    if (row >= 0) Q_EMIT rowRequested(row);
}

} // namespace tempera
