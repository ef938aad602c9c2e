#include "ui/pages/log_page.h"

#include "ui/theme/text.h"

#include <QPlainTextEdit>
#include <QRegularExpression>
#include <QScrollBar>
#include <QTimer>
#include <QVBoxLayout>

#include <algorithm>

namespace tempera {

namespace {

/// A message with commas between the thousands of its counts: "1,543,168 of 1,543,168 parameters". A number
/// of four digits may be a year, and one that is part of a name, or that says which one is meant, stays as it
/// is.
QString grouped(QString message) {
    static const QRegularExpression count(QStringLiteral(
        "(?<![^\\s(])(?<!seed )(?<!process )(?<!port )[1-9]\\d{4,17}(?=\\s|[.,;:)](?:\\s|$)|$)"));
    qsizetype from = 0;
    for (QRegularExpressionMatch match; (match = count.match(message, from)).hasMatch();) {
        const QString number = wholeText(match.captured().toLongLong());
        message.replace(match.capturedStart(), match.capturedLength(), number);
        from = match.capturedStart() + number.size();
    }
    return message;
}

} // namespace

LogPage::LogPage(QWidget* parent) : QWidget(parent), view_(new QPlainTextEdit(this)) {
    setObjectName(QStringLiteral("page"));
    setAttribute(Qt::WA_StyledBackground);
    view_->setReadOnly(true);
    view_->setFont(monoFont(font()));
    view_->setLineWrapMode(QPlainTextEdit::WidgetWidth);
    view_->setMaximumBlockCount(50000);
    view_->setUndoRedoEnabled(false);
    view_->setPlaceholderText(tr("What happens in the run is written here, line by line."));
    view_->setAccessibleName(tr("Log of the run"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(12, 8, 12, 12);
    column->addWidget(view_);
}

void LogPage::setData(const RunDataPointer& data) {
    if (!data_ || data_->run_id != data->run_id) {
        view_->clear();
        shown_id_ = 0;
    }
    data_ = data;
    appendSome();
}

void LogPage::appendSome() {
    pending_ = false;
    if (!data_) return;
    const auto& events = data_->events;
    auto next = std::upper_bound(events.begin(), events.end(), shown_id_,
                                 [](std::int64_t id, const RunEvent& event) { return id < event.id; });
    if (next == events.end()) return;
    QScrollBar* bar = view_->verticalScrollBar();
    const bool at_end = bar->value() >= bar->maximum() - 4;
    QStringList lines;
    for (int count = 0; next != events.end() && count < 500; ++next, ++count) {
        const QString time =
            QDateTime::fromMSecsSinceEpoch(next->time_ms).toString(QStringLiteral("HH:mm:ss"));
        const QString step =
            next->step >= 0 ? QStringLiteral("step %1").arg(wholeText(next->step)) : QString();
        const QString kind = next->kind == "log" ? QString() : toQt(next->kind);
        lines << QStringLiteral("%1  %2  %3  %4")
                     .arg(time, step.leftJustified(12), kind.leftJustified(10), grouped(toQt(next->message)));
        shown_id_ = next->id;
    }
    view_->appendPlainText(lines.join(u'\n'));
    if (at_end) bar->setValue(bar->maximum());
    if (next != events.end() && !pending_) {
        pending_ = true;
        QTimer::singleShot(0, this, &LogPage::appendSome);
    }
}

QString LogPage::text() const {
    return view_->toPlainText();
}

} // namespace tempera
