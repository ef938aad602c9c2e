#include "ui/widgets/status_strip.h"

#include "ui/theme/text.h"
#include "ui/widgets/elided_label.h"

#include <QDir>

#include <algorithm>

namespace tempera {

namespace {

QString atThisTime(const QString& event) {
    return QDateTime::currentDateTime().toString(QStringLiteral("HH:mm  ")) + event;
}

} // namespace

StatusStrip::StatusStrip(QWidget* parent)
    : QStatusBar(parent), opened_ms_(QDateTime::currentMSecsSinceEpoch()) {
    setSizeGripEnabled(false);
    const auto add = [this](const QString& name, int stretch, Qt::TextElideMode mode) {
        auto* label = new ElidedLabel({}, this, mode);
        label->setFont(tabularFont(font()));
        label->setProperty("muted", true);
        label->setContentsMargins(8, 0, 16, 0);
        label->setAccessibleName(name);
        addWidget(label, stretch);
        return label;
    };
    load_ = add(tr("Processor and memory"), 0, Qt::ElideRight);
    queue_ = add(tr("Runs"), 0, Qt::ElideRight);
    workspace_ = add(tr("Workspace"), 1, Qt::ElideMiddle);
    event_ = add(tr("Last event"), 2, Qt::ElideRight);
    // Fixed widths for the widest text, so that nothing moves while the numbers change.
    load_->setFixedWidth(
        load_->fontMetrics().horizontalAdvance(QStringLiteral("CPU 100 %   000.0 of 000 GiB")) + 28);
    queue_->setMinimumWidth(queue_->fontMetrics().horizontalAdvance(QStringLiteral("00 running, 00 queued"))
                            + 28);
    setCatalogue(std::make_shared<Catalogue>());
    connect(this, &QStatusBar::messageChanged, this, [this](const QString& told) {
        if (told.isEmpty()) return;
        setLastEvent(atThisTime(told));
        clearMessage(); // it would hide the rest; `told` is gone with it
    });
}

void StatusStrip::setLoad(const SystemLoad& load) {
    load_->setText(tr("CPU %1   %2 of %3 GiB")
                       .arg(percentText(load.cpu_share))
                       .arg(load.process_gib, 0, 'f', 1)
                       .arg(load.total_gib, 0, 'f', 0));
}

void StatusStrip::setCatalogue(const CataloguePointer& catalogue) {
    const auto count = [&](auto... statuses) {
        return std::count_if(catalogue->runs.begin(), catalogue->runs.end(),
                             [&](const RunRecord& run) { return ((run.status == statuses) || ...); });
    };
    queue_->setText(tr("%1 running, %2 queued")
                        .arg(count(RunStatus::running, RunStatus::stopping))
                        .arg(count(RunStatus::queued)));
    std::map<std::string, RunStatus> now;
    for (const RunRecord& run : catalogue->runs) {
        now[run.id] = run.status;
        const auto before = known_.find(run.id);
        const bool changed = before == known_.end() ? std::max(run.started_ms, run.ended_ms) >= opened_ms_
                                                    : before->second != run.status;
        if (!changed) continue;
        QString text = QStringLiteral("%1 %2").arg(runTitle(run), statusText(run.status));
        if (!run.error.empty()) text += QStringLiteral(": ") + toQt(run.error);
        setLastEvent(atThisTime(text));
    }
    known_ = std::move(now);
}

void StatusStrip::setWorkspace(const QString& folder) {
    QString shown = folder;
    if (shown.startsWith(QDir::homePath() + u'/'))
        shown.replace(0, QDir::homePath().size(), QStringLiteral("~"));
    workspace_->setText(tr("workspace %1").arg(shown));
    workspace_->setToolTip(folder);
}

void StatusStrip::setLastEvent(const QString& text) {
    event_->setText(text);
}

QString StatusStrip::text() const {
    return QStringList{load_->text(), queue_->text(), workspace_->text(), event_->text()}.join(u'|');
}

} // namespace tempera
