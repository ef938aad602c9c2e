#pragma once

#include "ui/widgets/clamped_label.h"
#include "ui/widgets/elided_label.h"

#include <QAbstractButton>
#include <QAbstractScrollArea>
#include <QAbstractSpinBox>
#include <QComboBox>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QScrollArea>
#include <QScrollBar>
#include <QSet>
#include <QTabBar>
#include <QTableView>
#include <QToolButton>
#include <QWidget>

#include <algorithm>
#include <vector>

namespace tempera::test {

/// What the eye would find in a window as it is shown now: text that is cut without an ellipsis and a tip,
/// controls outside their parent, horizontal scroll bars, and controls that a keyboard reaches but a screen
/// reader cannot name. One line for each.
class LayoutAudit {
public:
    explicit LayoutAudit(QWidget& window) : window_(window) {
        for (const auto* label : window.findChildren<QLabel*>())
            if (label->buddy()) labelled_.insert(label->buddy());
        for (QWidget* widget : window.findChildren<QWidget*>())
            if (widget->isVisible() && widget->window() == &window) look(*widget);
        lookAtTabOrder();
    }
    const QStringList& faults() const { return faults_; }

private:
    static QString nameOf(const QWidget& widget) {
        QString name = QString::fromLatin1(widget.metaObject()->className());
        if (!widget.objectName().isEmpty()) name += u'#' + widget.objectName();
        if (!widget.accessibleName().isEmpty()) name += QStringLiteral(" (%1)").arg(widget.accessibleName());
        if (const auto* label = qobject_cast<const QLabel*>(&widget))
            name += QStringLiteral(" “%1”").arg(label->text().left(60));
        if (const auto* button = qobject_cast<const QAbstractButton*>(&widget))
            name += QStringLiteral(" “%1”").arg(button->text());
        if (const auto* box = qobject_cast<const QComboBox*>(&widget))
            name += QStringLiteral(" “%1”").arg(box->currentText());
        return name;
    }
    void fault(const QWidget& widget, const QString& what) {
        faults_ << QStringLiteral("%1: %2").arg(nameOf(widget), what);
    }
    /// Inside the part of a scroll area that may be scrolled into view.
    static const QWidget* scrollingAncestor(const QWidget& widget) {
        for (const QWidget* at = widget.parentWidget(); at; at = at->parentWidget())
            if (qobject_cast<const QAbstractScrollArea*>(at)) return at;
        return nullptr;
    }

    void look(QWidget& widget) {
        lookAtPlace(widget);
        if (auto* label = qobject_cast<QLabel*>(&widget)) lookAtLabel(*label);
        if (auto* button = qobject_cast<QAbstractButton*>(&widget)) lookAtButton(*button);
        if (auto* box = qobject_cast<QComboBox*>(&widget)) lookAtCombo(*box);
        if (auto* line = qobject_cast<QLineEdit*>(&widget)) lookAtLine(*line);
        if (auto* tabs = qobject_cast<QTabBar*>(&widget)) lookAtTabs(*tabs);
        if (auto* area = qobject_cast<QAbstractScrollArea*>(&widget)) lookAtScrolling(*area);
        lookAtName(widget);
    }

    void lookAtPlace(const QWidget& widget) {
        const QWidget* parent = widget.parentWidget();
        if (!parent || widget.isWindow()) return;
        const auto* area = qobject_cast<const QAbstractScrollArea*>(parent->parentWidget());
        if (area && area->viewport() == parent) return; // its own scroll area moves it
        if (!parent->rect().contains(widget.geometry()) && !widget.geometry().isEmpty())
            fault(widget, QStringLiteral("lies outside its parent %1 by %2 x %3")
                              .arg(nameOf(*parent))
                              .arg(widget.geometry().right() - parent->rect().right())
                              .arg(widget.geometry().bottom() - parent->rect().bottom()));
        // A combo box, a table's header and a line edit's button have checks of their own, or are placed by
        // Qt.
        const bool placed = qobject_cast<const QComboBox*>(&widget) || qobject_cast<const QLineEdit*>(parent)
                            || qobject_cast<const QHeaderView*>(&widget);
        if (!placed && widget.width() < widget.minimumSizeHint().width()
            && widget.sizePolicy().horizontalPolicy() != QSizePolicy::Ignored)
            fault(widget, QStringLiteral("is %1 wide and needs %2")
                              .arg(widget.width())
                              .arg(widget.minimumSizeHint().width()));
    }

    void lookAtLabel(const QLabel& label) {
        if (dynamic_cast<const ElidedLabel*>(&label) || dynamic_cast<const ClampedLabel*>(&label)) return;
        if (label.text().isEmpty()) return;
        const QSize room = label.contentsRect().size();
        if (label.wordWrap()) {
            if (label.heightForWidth(label.width()) > label.height() + 1)
                fault(label, QStringLiteral("is cut at the bottom"));
            return;
        }
        const QSize need = label.sizeHint();
        if (need.width() > label.width() + 1) fault(label, QStringLiteral("is cut at the right"));
        if (label.fontMetrics().height() > room.height() + 2)
            fault(label, QStringLiteral("is cut at the bottom"));
    }

    void lookAtButton(const QAbstractButton& button) {
        if (button.text().isEmpty()) return;
        if (button.sizeHint().width() > button.width() + 1) fault(button, QStringLiteral("is cut"));
        if (button.sizeHint().height() > button.height() + 1) fault(button, QStringLiteral("is too low"));
    }

    void lookAtCombo(const QComboBox& box) {
        const int arrow = 20 + 2 * 9; // QSS: drop-down, and padding with border at both sides
        const bool cut = box.fontMetrics().horizontalAdvance(box.currentText()) + arrow > box.width();
        if (cut && !box.toolTip().contains(box.currentText()))
            fault(box, QStringLiteral("cuts its text and has no tip with it"));
    }

    void lookAtLine(const QLineEdit& line) {
        const QString& hint = line.placeholderText();
        if (hint.isEmpty() || !line.text().isEmpty()) return;
        int room = line.width() - 18; // QSS: padding with border at both sides
        for (const auto* inside : line.findChildren<QAbstractButton*>())
            if (inside->isVisible()) room -= inside->width();
        if (line.fontMetrics().horizontalAdvance(hint) > room && line.toolTip().isEmpty())
            fault(line, QStringLiteral("cuts “%1” and has no tip").arg(hint));
    }

    void lookAtTabs(const QTabBar& tabs) {
        if (tabs.count() > 0 && tabs.tabRect(tabs.count() - 1).right() > tabs.width())
            fault(tabs, QStringLiteral("does not show all tabs"));
    }

    void lookAtScrolling(const QAbstractScrollArea& area) {
        // Cards stand side by side, and so do the columns of a data set.
        const bool wide =
            area.objectName() == QLatin1String("cards") || qobject_cast<const QTableView*>(&area);
        if (area.horizontalScrollBar()->isVisible() && !wide) fault(area, QStringLiteral("scrolls sideways"));
    }

    void lookAtName(const QWidget& widget) {
        if (!(widget.focusPolicy() & Qt::TabFocus) || !widget.isEnabled()) return;
        const auto* button = qobject_cast<const QAbstractButton*>(&widget);
        const bool named = !widget.accessibleName().isEmpty() || (button && !button->text().isEmpty());
        const bool inside = qobject_cast<const QComboBox*>(widget.parentWidget())
                            || qobject_cast<const QAbstractSpinBox*>(widget.parentWidget());
        if (!named && !labelled_.contains(&widget) && !inside)
            fault(widget, QStringLiteral("has no accessible name"));
    }

    bool isStop(const QWidget& widget) const {
        return widget.isVisible() && widget.isEnabled() && widget.window() == &window_
               && (widget.focusPolicy() & Qt::TabFocus) && !widget.focusProxy()
               && !widget.visibleRegion().isEmpty();
    }

    QRect placeOf(const QWidget& widget) const { return {widget.mapTo(&window_, QPoint()), widget.size()}; }

    /// Tab goes down a column and on to the next column at the right, never back up or to the left; but once
    /// it goes from the last to the first, the one at the left edge.
    void lookAtTabOrder() {
        std::vector<QWidget*> stops;
        for (QWidget* at = window_.nextInFocusChain(); at != &window_; at = at->nextInFocusChain())
            if (isStop(*at)) stops.push_back(at);
        const auto first = std::min_element(stops.begin(), stops.end(), [this](QWidget* a, QWidget* b) {
            const QRect left = placeOf(*a), right = placeOf(*b);
            return std::pair(left.left(), left.top()) < std::pair(right.left(), right.top());
        });
        std::rotate(stops.begin(), first, stops.end()); // it is a circle
        for (std::size_t i = 1; i < stops.size(); ++i) {
            const QRect a = placeOf(*stops[i - 1]), b = placeOf(*stops[i]);
            const bool up = b.bottom() <= a.top() && b.left() < a.right();
            const bool left = b.right() <= a.left() && b.top() < a.bottom() && b.bottom() > a.top();
            if (up || left)
                fault(*stops[i], QStringLiteral("is reached by Tab after %1, which is read later")
                                     .arg(nameOf(*stops[i - 1])));
        }
    }

    QWidget& window_;
    QSet<const QWidget*> labelled_; ///< by a label whose buddy they are
    QStringList faults_;
};

} // namespace tempera::test
