#pragma once

#include <QLineEdit>
#include <QListView>
#include <QTest>
#include <QToolButton>

namespace tempera::test {

/// What a user does with mouse and keyboard; what cannot be done fails the test.

inline void click(QWidget* widget) {
    QVERIFY(widget && widget->isVisible() && widget->isEnabled());
    QTest::mouseClick(widget, Qt::LeftButton);
}

/// In place of what stands in the field.
inline void type(QLineEdit* field, const QString& text) {
    field->setFocus();
    field->selectAll();
    QTest::keyClick(field, Qt::Key_Delete);
    QTest::keyClicks(field, text);
    QCOMPARE(field->text(), text);
}

/// Clicks the row with that text that can be chosen.
inline void clickRow(QListView* list, const QString& text) {
    for (int row = 0; row < list->model()->rowCount(); ++row) {
        const QModelIndex index = list->model()->index(row, 0);
        if (index.data().toString() != text || !(index.flags() & Qt::ItemIsSelectable)) continue;
        list->scrollTo(index);
        QTest::mouseClick(list->viewport(), Qt::LeftButton, {}, list->visualRect(index).center());
        return;
    }
    QFAIL(qPrintable(text + QStringLiteral(" is not listed")));
}

/// Goes to an area of the window by its button in the rail.
inline void goToArea(QWidget* window, const QString& area) {
    for (QToolButton* button : window->findChildren<QToolButton*>())
        if (button->text() == area) {
            click(button);
            return;
        }
    QFAIL(qPrintable(area + QStringLiteral(" is not in the rail")));
}

} // namespace tempera::test
