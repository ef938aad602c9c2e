#include "ui/widgets/reading_order.h"

#include <QWidget>

namespace tempera {

static bool takesTab(const QWidget& widget) {
    return (widget.focusPolicy() & Qt::TabFocus) && !widget.focusProxy();
}

void setReadingOrder(const std::vector<QWidget*>& widgets) {
    QWidget* last = nullptr;
    const auto follow = [&last](QWidget* next) {
        if (last) QWidget::setTabOrder(last, next);
        last = next;
    };
    for (QWidget* widget : widgets) {
        if (!widget) continue;
        if (takesTab(*widget)) {
            follow(widget);
            continue;
        }
        for (QWidget* inside : widget->findChildren<QWidget*>())
            if (takesTab(*inside) && inside->window() == widget->window()) follow(inside); // no popup's
    }
}

} // namespace tempera
