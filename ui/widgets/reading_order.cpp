#include "ui/widgets/reading_order.h"

#include <QSplitter>
#include <QWidget>

namespace tempera {

static bool takesTab(const QWidget& widget) {
    return (widget.focusPolicy() & Qt::TabFocus) && !widget.focusProxy();
}

/// What is inside in the order it was made; a splitter's in the order it shows them (it makes the last the
/// first of its children, to have it below the handle).
static QList<QWidget*> childrenOf(const QWidget& widget) {
    const auto* splitter = qobject_cast<const QSplitter*>(&widget);
    if (!splitter) return widget.findChildren<QWidget*>(Qt::FindDirectChildrenOnly);
    QList<QWidget*> shown;
    for (int i = 0; i < splitter->count(); ++i)
        shown << splitter->widget(i);
    return shown;
}

static void addStops(QWidget& widget, std::vector<QWidget*>& stops) {
    if (takesTab(widget)) stops.push_back(&widget);
    for (QWidget* inside : childrenOf(widget))
        if (!inside->isWindow()) addStops(*inside, stops); // no popup's
}

void setReadingOrder(const std::vector<QWidget*>& widgets) {
    std::vector<QWidget*> stops;
    for (QWidget* widget : widgets) {
        if (!widget) continue;
        if (takesTab(*widget))
            stops.push_back(widget);
        else
            addStops(*widget, stops);
    }
    for (std::size_t i = 1; i < stops.size(); ++i)
        QWidget::setTabOrder(stops[i - 1], stops[i]);
}

} // namespace tempera
