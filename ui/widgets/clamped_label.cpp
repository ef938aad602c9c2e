#include "ui/widgets/clamped_label.h"

#include "ui/theme/text.h"

#include <QHelpEvent>
#include <QPainter>
#include <QTextLayout>
#include <QToolTip>

namespace tempera {

namespace {

constexpr qsizetype most_laid_out = 2000; // no label has room for more

} // namespace

ClampedLabel::ClampedLabel(int lines, QWidget* parent) : QLabel(parent), lines_(lines) {
    setTextFormat(Qt::PlainText);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

QSize ClampedLabel::minimumSizeHint() const {
    return {fontMetrics().averageCharWidth() * 12, fontMetrics().lineSpacing() * lines_};
}

QSize ClampedLabel::sizeHint() const {
    return {fontMetrics().averageCharWidth() * 32, minimumSizeHint().height()};
}

QStringList ClampedLabel::shownLines() const {
    const QString whole = text().left(most_laid_out).replace(u'\n', QChar::LineSeparator);
    QTextLayout layout(whole, font());
    QTextOption option;
    option.setWrapMode(QTextOption::WrapAtWordBoundaryOrAnywhere);
    layout.setTextOption(option);
    QStringList lines;
    layout.beginLayout();
    for (QTextLine line = layout.createLine(); line.isValid(); line = layout.createLine()) {
        line.setLineWidth(contentsRect().width());
        if (lines.size() + 1 < lines_) {
            lines << whole.mid(line.textStart(), line.textLength());
            continue;
        }
        QString rest = text().mid(line.textStart(), most_laid_out);
        lines << fontMetrics().elidedText(rest.replace(u'\n', u' '), Qt::ElideRight, contentsRect().width());
        break;
    }
    layout.endLayout();
    return lines;
}

bool ClampedLabel::clamped() const {
    const QStringList lines = shownLines();
    return !lines.isEmpty() && lines.last().endsWith(QChar(u'…')) && !text().endsWith(lines.last());
}

void ClampedLabel::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setPen(palette().color(foregroundRole()));
    int y = contentsRect().top();
    for (const QString& line : shownLines()) {
        const QRect row(contentsRect().left(), y, contentsRect().width(), fontMetrics().lineSpacing());
        painter.drawText(row, Qt::AlignVCenter | (line.isRightToLeft() ? Qt::AlignRight : Qt::AlignLeft),
                         line);
        y += fontMetrics().lineSpacing();
    }
}

bool ClampedLabel::event(QEvent* event) {
    if (event->type() != QEvent::ToolTip) return QLabel::event(event);
    QToolTip::showText(static_cast<QHelpEvent*>(event)->globalPos(),
                       clamped() ? tipText(text().left(most_laid_out)) : QString(), this);
    return true;
}

} // namespace tempera
