#include "ui/widgets/tool_row.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QWidget>

#include <algorithm>

namespace tempera {

namespace {

bool expands(const QLayoutItem& item) {
    return item.expandingDirections() & Qt::Horizontal;
}

/// What an item takes at least in its row.
int widthOf(const QLayoutItem& item) {
    return expands(item) ? item.minimumSize().width() : item.sizeHint().width();
}

bool hidden(QLayoutItem& item) {
    return item.widget() && item.isEmpty();
}

} // namespace

ToolRow::ToolRow(QWidget* parent) : QLayout(parent) {
    setContentsMargins(16, 8, 16, 8);
    setSpacing(8);
}

ToolRow::~ToolRow() {
    while (QLayoutItem* item = takeAt(0))
        delete item;
}

void ToolRow::addStretch() {
    addItem(new QSpacerItem(0, 0, QSizePolicy::Expanding, QSizePolicy::Minimum));
}

QWidget* ToolRow::addLabelled(const QString& text, const QList<QWidget*>& fields) {
    auto* group = new QWidget(parentWidget());
    auto* label = new QLabel(text, group);
    label->setBuddy(fields.first());
    label->setProperty("muted", true);
    label->setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Preferred);
    // Its underlined letter is drawn apart, without the kerning that the label's own width counts on.
    label->setContentsMargins(0, 0, 2, 0);
    auto* row = new QHBoxLayout(group);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(spacing());
    row->addWidget(label);
    for (QWidget* field : fields)
        row->addWidget(field);
    addWidget(group);
    return group;
}

void ToolRow::addItem(QLayoutItem* item) {
    items_.append(item);
    invalidate();
}

QLayoutItem* ToolRow::itemAt(int index) const {
    return items_.value(index);
}

QLayoutItem* ToolRow::takeAt(int index) {
    return index >= 0 && index < items_.size() ? items_.takeAt(index) : nullptr;
}

int ToolRow::heightForWidth(int width) const {
    return arrange(QRect(0, 0, width, 0), false);
}

QSize ToolRow::minimumSize() const {
    int width = 0;
    for (QLayoutItem* item : items_)
        if (!hidden(*item)) width = std::max(width, widthOf(*item));
    const QMargins around = contentsMargins();
    width += around.left() + around.right();
    return {width, heightForWidth(std::max(width, geometry().width()))};
}

QSize ToolRow::sizeHint() const {
    int width = 0;
    for (QLayoutItem* item : items_)
        if (!hidden(*item)) width += item->sizeHint().width() + spacing();
    return {width, minimumSize().height()};
}

void ToolRow::setGeometry(const QRect& rect) {
    QLayout::setGeometry(rect);
    arrange(rect, true);
}

int ToolRow::arrange(const QRect& rect, bool place) const {
    const QRect room = rect.marginsRemoved(contentsMargins());
    int y = room.top();
    for (qsizetype begin = 0; begin < items_.size();) {
        // As many as fit in this row, at least one.
        int width = 0, height = 0, expanding = 0;
        qsizetype end = begin;
        for (int used = 0; end < items_.size(); ++end) {
            QLayoutItem& item = *items_[end];
            if (hidden(item)) continue;
            const int with = width + widthOf(item) + (used > 0 ? spacing() : 0);
            if (used > 0 && with > room.width()) break;
            width = with;
            height = std::max(height, item.sizeHint().height());
            expanding += expands(item);
            ++used;
        }
        if (height == 0) break; // nothing is left that shows
        int left = room.left(), spare = std::max(0, room.width() - width);
        for (; begin < end; ++begin) {
            QLayoutItem& item = *items_[begin];
            if (hidden(item)) continue;
            int own = std::min(widthOf(item), room.width());
            if (expands(item)) {
                const int share = spare / expanding--;
                own += share;
                spare -= share;
            }
            if (place) {
                const int tall = std::min(height, item.sizeHint().height());
                item.setGeometry(QRect(left, y + (height - tall) / 2, own, tall));
            }
            left += own + spacing();
        }
        y += height + spacing();
    }
    return y - spacing() + contentsMargins().bottom() - rect.top();
}

} // namespace tempera
