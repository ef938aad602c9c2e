#include "ui/widgets/run_header.h"

#include "ui/theme/icons.h"
#include "ui/theme/text.h"
#include "ui/theme/theme.h"
#include "ui/widgets/elided_label.h"
#include "ui/widgets/reading_order.h"

#include <QApplication>
#include <QHBoxLayout>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QVBoxLayout>

#include <cmath>

namespace tempera {

namespace {

constexpr double heading_icon = 1.25; // of a line's

}

RunHeader::RunHeader(QWidget* parent) : QWidget(parent) {
    setObjectName(QStringLiteral("runHeader"));
    symbol_ = new QLabel(this);
    const int side = qRound(iconSide(QApplication::font()) * heading_icon);
    symbol_->setFixedSize(side, side);
    name_ = new ElidedLabel({}, this, Qt::ElideMiddle);
    name_->setFont(titleFont(font()));
    name_->setObjectName(QStringLiteral("runName"));
    status_ = new ElidedLabel({}, this);
    status_->setObjectName(QStringLiteral("runStatus"));
    status_->setProperty("muted", true);
    status_->setFont(tabularFont(font()));
    bar_ = new QProgressBar(this);
    bar_->setTextVisible(false);
    bar_->setRange(0, 1000);
    bar_->setAccessibleName(tr("Progress of the run"));
    QSizePolicy policy = bar_->sizePolicy();
    policy.setRetainSizeWhenHidden(true); // what is below stays where it is when the run ends
    bar_->setSizePolicy(policy);
    stop_ = new QPushButton(icon(QStringLiteral("stop")), tr("Stop"), this);
    stop_->setToolTip(tr("Finish the step, keep a checkpoint and stop; it can be resumed (Ctrl+.)"));
    stop_->setShortcut(QKeySequence(Qt::CTRL | Qt::Key_Period));
    resume_ = new QPushButton(icon(QStringLiteral("resume")), tr("Resume"), this);
    resume_->setToolTip(tr("Go on from the newest checkpoint, or from the samples that are stored"));
    cancel_ = new QPushButton(icon(QStringLiteral("cancel")), tr("Cancel"), this);
    cancel_->setToolTip(tr("End at once; what is not stored yet is lost"));
    connect(stop_, &QPushButton::clicked, this, &RunHeader::stopRequested);
    connect(resume_, &QPushButton::clicked, this, &RunHeader::resumeRequested);
    connect(cancel_, &QPushButton::clicked, this, &RunHeader::cancelRequested);

    auto* texts = new QVBoxLayout;
    texts->setSpacing(2);
    texts->addWidget(name_);
    texts->addWidget(status_);
    auto* row = new QHBoxLayout;
    row->setSpacing(12);
    row->addWidget(symbol_);
    row->addLayout(texts, 1);
    row->addWidget(resume_);
    row->addWidget(stop_);
    row->addWidget(cancel_);
    setReadingOrder({resume_, stop_, cancel_});
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(16, 12, 16, 4);
    column->setSpacing(8);
    column->addLayout(row);
    column->addWidget(bar_);
}

void RunHeader::setRun(const RunRecord& run) {
    const bool same = run.id == run_.id;
    const Progress kept = run_.progress;
    run_ = run;
    // The run's own record is fresher than the catalogue's copy of it.
    if (same && kept.done > run.progress.done && run.status == RunStatus::running) run_.progress = kept;
    refresh();
}

void RunHeader::setProgress(const Progress& progress) {
    run_.progress = progress;
    refresh();
}

void RunHeader::setReadOnly(bool read_only) {
    read_only_ = read_only;
    refresh();
}

void RunHeader::refresh() {
    const Theme& theme = Theme::current();
    const Progress& progress = run_.progress;
    symbol_->setPixmap(
        iconPixmap(*this, stateIconName(run_.status), theme.stateColor(run_.status), heading_icon));
    symbol_->setAccessibleName(statusText(run_.status));
    name_->setText(runTitle(run_));
    const bool running = run_.status == RunStatus::running;
    const bool stopping = run_.status == RunStatus::stopping;
    QStringList parts{statusText(run_.status)};
    if ((running || stopping) && !progress.phase.empty()) parts << toQt(progress.phase);
    if (const QString text = progressText(progress); !text.isEmpty() && run_.status != RunStatus::queued)
        parts << text;
    if (running) {
        if (const QString eta = etaText(progress.eta_seconds, QDateTime::currentDateTime()); !eta.isEmpty())
            parts << tr("ends %1").arg(eta);
        if (progress.rate > 0)
            parts << (progress.unit == "MB" ? tr("%1 MB/s") : tr("%1 tokens/s"))
                         .arg(wholeText(std::llround(progress.rate)));
        if (progress.memory_gib > 0) parts << tr("%1 GiB").arg(progress.memory_gib, 0, 'f', 1);
    } else if (run_.ended_ms > run_.started_ms && run_.started_ms > 0) {
        parts << tr("took %1").arg(durationText(double(run_.ended_ms - run_.started_ms) / 1000))
              << timeText(run_.ended_ms);
    }
    status_->setText(parts.join(QStringLiteral("  ·  ")));
    setAccessibleName(name_->text() + QStringLiteral(", ") + parts.join(QStringLiteral(", ")));
    bar_->setVisible(running || stopping);
    bar_->setValue(progress.total > 0 ? static_cast<int>(1000 * progress.done / progress.total) : 0);

    const bool resumable = run_.status == RunStatus::stopped || run_.status == RunStatus::failed
                           || run_.status == RunStatus::interrupted || run_.status == RunStatus::cancelled;
    const bool waiting = run_.status == RunStatus::queued;
    stop_->setVisible(running || stopping);
    stop_->setEnabled(running && !read_only_);
    resume_->setVisible(resumable);
    resume_->setEnabled(!read_only_);
    cancel_->setVisible(running || stopping || waiting);
    cancel_->setEnabled(!read_only_);
}

QString RunHeader::statusLine() const {
    return status_->text();
}

} // namespace tempera
