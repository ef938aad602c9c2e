#include "ui/widgets/job_panel.h"

#include "ui/theme/icons.h"
#include "ui/theme/text.h"
#include "ui/theme/theme.h"
#include "ui/widgets/elided_label.h"

#include <QApplication>
#include <QClipboard>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QVBoxLayout>

#include <algorithm>

namespace tempera {

QString jobStatusText(const Jobs::View& job, const QDateTime& now) {
    if (job.state == Jobs::State::stopping) return JobRow::tr("stopping …");
    const JobProgress& progress = job.progress;
    QStringList parts; // what matters least is last: it is cut first
    const auto amount = [&](double value) {
        return progress.bytes ? bytesText(value) : QString::number(value, 'f', 0);
    };
    if (progress.total > 0)
        parts << JobRow::tr("%1 of %2").arg(amount(progress.done), amount(progress.total));
    else if (progress.done > 0)
        parts << amount(progress.done);
    if (job.rate > 0 && progress.bytes) parts << JobRow::tr("%1/s").arg(bytesText(job.rate));
    if (const QString eta = etaText(job.eta_seconds, now); !eta.isEmpty()) parts << eta;
    if (!progress.phase.empty()) parts << toQt(progress.phase);
    return parts.isEmpty() ? JobRow::tr("starting …") : parts.join(QStringLiteral("   "));
}

JobRow::JobRow(Jobs& jobs, int id, QWidget* parent) : QFrame(parent), jobs_(jobs), id_(id) {
    setObjectName(QStringLiteral("job"));
    symbol_ = new QLabel(this);
    const int side = iconSide(QApplication::font());
    symbol_->setFixedSize(side, side);
    title_ = new ElidedLabel({}, this, Qt::ElideMiddle);
    QFont bold = title_->font();
    bold.setWeight(QFont::DemiBold);
    title_->setFont(bold);
    status_ = new ElidedLabel({}, this);
    status_->setFont(tabularFont(font()));
    status_->setProperty("muted", true);
    sentence_ = new QLabel(this);
    sentence_->setWordWrap(true);
    sentence_->setTextFormat(Qt::PlainText);
    sentence_->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    bar_ = new QProgressBar(this);
    bar_->setTextVisible(false);
    bar_->setRange(0, 1000);
    copy_ = new QPushButton(icon(QStringLiteral("copy")), tr("Copy"), this);
    button_ = new QPushButton(this);
    auto* words = new QVBoxLayout;
    words->setSpacing(4);
    auto* head = new QHBoxLayout;
    head->setSpacing(12);
    head->addWidget(title_);
    head->addWidget(status_, 1);
    words->addLayout(head);
    words->addWidget(bar_);
    words->addWidget(sentence_);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(16, 8, 16, 8);
    row->setSpacing(8);
    row->addWidget(symbol_, 0, Qt::AlignTop);
    row->addLayout(words, 1);
    row->addWidget(copy_, 0, Qt::AlignTop);
    row->addWidget(button_, 0, Qt::AlignTop);
    connect(copy_, &QPushButton::clicked, this,
            [this] { QGuiApplication::clipboard()->setText(jobs_.view(id_).sentence); });
    connect(button_, &QPushButton::clicked, this, [this] {
        const Jobs::State state = jobs_.view(id_).state;
        if (state == Jobs::State::running)
            jobs_.stop(id_);
        else
            jobs_.dismiss(id_);
    });
    refresh();
}

void JobRow::refresh() {
    const Jobs::View job = jobs_.view(id_);
    const Theme& theme = Theme::current();
    const bool moving = job.state == Jobs::State::running || job.state == Jobs::State::stopping;
    const auto [symbol, color] =
        job.state == Jobs::State::done      ? std::pair(RunStatus::finished, theme.done)
        : job.state == Jobs::State::failed  ? std::pair(RunStatus::failed, theme.failed)
        : job.state == Jobs::State::stopped ? std::pair(RunStatus::stopped, theme.paused)
                                            : std::pair(RunStatus::running, theme.running);
    symbol_->setPixmap(iconPixmap(*this, stateIconName(symbol), color));
    title_->setText(job.title);
    status_->setVisible(moving);
    status_->setText(jobStatusText(job, QDateTime::currentDateTime()));
    bar_->setVisible(moving);
    if (job.progress.total > 0) {
        bar_->setRange(0, 1000);
        bar_->setValue(int(std::clamp(job.progress.done / job.progress.total, 0.0, 1.0) * 1000));
    } else {
        bar_->setRange(0, 0);
    }
    sentence_->setVisible(!moving && !job.sentence.isEmpty());
    sentence_->setText(job.sentence);
    copy_->setVisible(job.state == Jobs::State::failed);
    button_->setText(moving ? tr("Stop") : tr("Dismiss"));
    button_->setEnabled(!moving || job.state == Jobs::State::running);
    button_->setAccessibleName(QStringLiteral("%1: %2").arg(button_->text(), job.title));
    setAccessibleName(text());
}

QString JobRow::text() const {
    return status_->isHidden() ? QStringLiteral("%1: %2").arg(title_->text(), sentence_->text())
                               : QStringLiteral("%1: %2").arg(title_->text(), status_->text());
}

JobPanel::JobPanel(Jobs& jobs, QWidget* parent)
    : QWidget(parent), jobs_(jobs), column_(new QVBoxLayout(this)) {
    column_->setContentsMargins(0, 0, 0, 0);
    column_->setSpacing(0);
    connect(&jobs, &Jobs::listed, this, &JobPanel::rebuild);
    connect(&jobs, &Jobs::changed, this, [this](int id) {
        for (JobRow* row : rows_)
            if (row->id() == id) row->refresh();
    });
    rebuild();
}

void JobPanel::rebuild() {
    const std::vector<int> ids = jobs_.ids();
    std::erase_if(rows_, [&](JobRow* row) {
        if (std::find(ids.begin(), ids.end(), row->id()) != ids.end()) return false;
        row->hide();
        row->deleteLater();
        return true;
    });
    for (const int id : ids) {
        const bool there =
            std::any_of(rows_.begin(), rows_.end(), [&](JobRow* row) { return row->id() == id; });
        if (there) continue;
        rows_.push_back(new JobRow(jobs_, id, this));
        column_->addWidget(rows_.back());
    }
    setVisible(!rows_.empty());
}

} // namespace tempera
