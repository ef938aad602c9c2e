#include "ui/widgets/elided_label.h"

#include "ui/theme/text.h"

#include <QHelpEvent>
#include <QPainter>
#include <QToolTip>

namespace tempera {

ElidedLabel::ElidedLabel(const QString& text, QWidget* parent, Qt::TextElideMode mode)
    : QLabel(text, parent), mode_(mode) {
    setTextFormat(Qt::PlainText);
}

QSize ElidedLabel::minimumSizeHint() const {
    return {fontMetrics().horizontalAdvance(QStringLiteral("MM…")), fontMetrics().height() + 2};
}

QSize ElidedLabel::sizeHint() const {
    return {fontMetrics().horizontalAdvance(text()) + 4, fontMetrics().height() + 2};
}

void ElidedLabel::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setPen(palette().color(foregroundRole()));
    const QString line = QString(text()).replace(u'\n', u' ');
    painter.drawText(contentsRect(), int(alignment() | Qt::TextSingleLine),
                     fontMetrics().elidedText(line, mode_, contentsRect().width()));
}

bool ElidedLabel::event(QEvent* event) {
    if (event->type() == QEvent::ToolTip && toolTip().isEmpty()) {
        const bool cut =
            fontMetrics().horizontalAdvance(text()) > contentsRect().width() || text().contains(u'\n');
        QToolTip::showText(static_cast<QHelpEvent*>(event)->globalPos(), cut ? tipText(text()) : QString(),
                           this);
        return true;
    }
    return QLabel::event(event);
}

} // namespace tempera
