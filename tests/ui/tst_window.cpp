#include "desk.h"
#include "hands.h"

#include "ui/charts/heat_map.h"
#include "ui/forms/field_editor.h"
#include "ui/forms/recipe_form.h"
#include "ui/main_window.h"
#include "ui/pages/card_row.h"
#include "ui/pages/completion_card.h"
#include "ui/pages/figure5_page.h"
#include "ui/pages/new_run_page.h"
#include "ui/pages/run_view.h"
#include "ui/pages/samples_page.h"
#include "ui/run_feed.h"
#include "ui/theme/text.h"
#include "ui/theme/theme.h"
#include "ui/widgets/run_header.h"
#include "ui/widgets/status_strip.h"

#include <QApplication>
#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QContextMenuEvent>
#include <QHelpEvent>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QMenu>
#include <QPushButton>
#include <QScrollArea>
#include <QSplitter>
#include <QStandardPaths>
#include <QTabBar>
#include <QTest>
#include <QTextBrowser>
#include <QTimer>
#include <QToolTip>

using namespace tempera;
using test::click;
using test::Desk;

/// The window as a whole: what it shows, remembers and tells, and the way from one page to another.
class TestWindow : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() {
        QStandardPaths::setTestModeEnabled(true);
        applyTheme(*qApp, Scheme::light);
    }

    void anEmptyWorkspaceOffersTheFirstRun() {
        Desk desk;
        desk.open();
        QPushButton* button = desk.button(desk.window->centralWidget(), QStringLiteral("New run"));
        click(button);
        QVERIFY(desk.window->newRunPage()->isVisible());
        QVERIFY(desk.window->statusStrip()->text().contains(QStringLiteral("0 running, 0 queued")));
    }

    void aCellOfTheMapOpensItsSamples() {
        Desk desk;
        const RunRecord run = desk.sweep();
        desk.open();
        RunView* view = desk.window->runView();
        HeatMap* map = view->figure5()->heatMap();
        QTRY_VERIFY(map->isVisible() && !map->csv().isEmpty() && map->csv().count(u'\n') == 11);
        QTest::mouseClick(map, Qt::LeftButton, {}, map->cellRect(6, 4).center().toPoint());
        QCOMPARE(view->currentTab(), QStringLiteral("samples"));
        SamplesPage* page = view->samples();
        QTRY_COMPARE(page->row()->shownCards().size(), std::size_t(10));
        QCOMPARE(page->temperature(), 0.7);
        QCOMPARE(page->bestOf(), 5);
        const auto samples = RunReader(desk.fixture.workspace->run_folder(run.id)).samples(0.7, 0);
        const int chosen = chosenOf(samples, 5);
        QVERIFY(chosen >= 0 && chosen < 5);
        for (int i = 0; i < 10; ++i)
            QCOMPARE(page->row()->shownCards()[std::size_t(i)]->chosen(), i == chosen);
    }

    void samplesAreReadWithTheKeyboard() {
        Desk desk;
        desk.sweep();
        desk.open();
        RunView* view = desk.window->runView();
        QTRY_VERIFY(view->isVisible() && view->tabs()->count() == 4);
        view->showTab(QStringLiteral("samples"));
        SamplesPage* page = view->samples();
        QListView* list = page->promptList();
        QTRY_COMPARE(list->model()->rowCount(), 20);
        list->setFocus();
        QTest::keyClick(list, Qt::Key_J);
        QTest::keyClick(list, Qt::Key_Down);
        QCOMPARE(list->currentIndex().row(), 2);
        QTest::keyClick(list, Qt::Key_K);
        QCOMPARE(list->currentIndex().row(), 1);
        QTRY_COMPARE(page->row()->shownCards().size(), std::size_t(10));
        QTRY_VERIFY(page->row()->key().endsWith(QStringLiteral(" 1")));
        QTest::keyClick(list, Qt::Key_L);
        QTest::keyClick(list, Qt::Key_L);
        QTest::keyClick(list, Qt::Key_H);
        QCOMPARE(page->row()->position(), 1);
        QTest::keyClick(list, Qt::Key_3); // pins the third sample: it stands first
        QCOMPARE(page->row()->shownCards()[0]->completion().index, 2);
        QCOMPARE(page->row()->currentCard()->completion().index, 1); // as before
        QTest::keyClick(list, Qt::Key_3);
        QCOMPARE(page->row()->shownCards()[0]->completion().index, 0);
        QTest::keyClick(list, Qt::Key_C);
        const QString markdown = QApplication::clipboard()->text();
        QVERIFY2(markdown.contains(QStringLiteral("**Problem 2:"))
                     && markdown.contains(QStringLiteral("**Sample 2**")),
                 qPrintable(markdown));
        QTest::keyClick(list, Qt::Key_Return);
        QVERIFY(page->row()->whole());
        QVERIFY(!page->row()->shownCards()[0]->isVisible() && page->row()->shownCards()[1]->isVisible());
        QTest::keyClick(list, Qt::Key_Escape);
        QVERIFY(!page->row()->whole());
        QTest::keyClick(list, Qt::Key_F);
        QCOMPARE(page->filter(), VerdictFilter::solved);
        page->setFilter(VerdictFilter::all);
        QTest::keyClicks(page->searchBox(), QStringLiteral("no such text anywhere"));
        QTRY_COMPARE(list->model()->rowCount(), 0);
        page->searchBox()->clear();
        QTRY_COMPARE(list->model()->rowCount(), 20);
    }

    void aFormChecksWhatIsTypedAndStartsTheRun() {
        Desk desk;
        desk.open();
        QTest::keyClick(desk.window.get(), Qt::Key_N, Qt::ControlModifier);
        NewRunPage* page = desk.window->newRunPage();
        QTRY_VERIFY(page->isVisible());
        QVERIFY(page->choose(QStringLiteral("figure-5")));
        QCOMPARE(page->forms().size(), std::size_t(2));
        for (const RecipeForm* form : page->forms())
            QVERIFY(form->visibleFields() > 0 && form->visibleFields() <= 7);
        const int simple = page->forms()[0]->visibleFields();
        page->allBox()->setChecked(true);
        QVERIFY(page->forms()[0]->visibleFields() > simple);
        QVERIFY2(page->startable(), "the shipped study can be started as it is");
        FieldEditor* rate = page->forms()[0]->editor("learning_rate");
        auto* line = qobject_cast<QLineEdit*>(rate->input());
        line->selectAll();
        QTest::keyClicks(line, QStringLiteral("fast"));
        QVERIFY(!rate->problem().isEmpty());
        QTRY_VERIFY(rate->findChild<QLabel*>(QStringLiteral("problem"))->isVisible());
        QTRY_VERIFY(!page->startable() && !page->startButton()->isEnabled());
        line->selectAll();
        QTest::keyClicks(line, QStringLiteral("-1"));
        QTRY_VERIFY(!rate->problem().isEmpty() && !page->startable()); // a number, but out of range
        line->selectAll();
        QTest::keyClicks(line, QStringLiteral("2e-4"));
        QTRY_VERIFY(page->startable());
        QCOMPARE(page->recipe()["stages"][0]["learning_rate"].get<double>(), 2e-4);
        page->setRecipe(desk.fixture.study());
        QTRY_VERIFY(page->startable());
        click(page->startButton());
        QTRY_COMPARE(desk.fixture.workspace->runs().size(), std::size_t(2));
        QTRY_VERIFY(desk.window->runView()->isVisible());
        QTRY_COMPARE_WITH_TIMEOUT(desk.fixture.workspace->runs()[1].status, RunStatus::finished, 10000);
        // The study is the selection, so the page went on to its second stage.
        QTRY_COMPARE(desk.window->runView()->runId(), desk.fixture.workspace->runs()[1].id);
    }

    void aChartsMenuCopiesItsValues() {
        Desk desk;
        desk.sweep(3);
        desk.open();
        HeatMap* map = desk.window->runView()->figure5()->heatMap();
        QTRY_VERIFY_WITH_TIMEOUT(map->isVisible() && map->csv().count(u'\n') == 11, 8000);
        QTimer::singleShot(0, desk.window.get(), [] {
            auto* menu = qobject_cast<QMenu*>(QApplication::activePopupWidget());
            QVERIFY(menu && menu->actions().size() >= 4);
            menu->setActiveAction(menu->actions()[2]);
            QTest::keyClick(menu, Qt::Key_Return);
        });
        QContextMenuEvent event(QContextMenuEvent::Mouse, map->rect().center(),
                                map->mapToGlobal(map->rect().center()));
        QApplication::sendEvent(map, &event);
        QCOMPARE(QApplication::clipboard()->text(), map->csv());
        const QPoint cell = map->cellRect(2, 3).center().toPoint();
        QHelpEvent help(QEvent::ToolTip, cell, map->mapToGlobal(cell));
        QApplication::sendEvent(map, &help);
        QTRY_VERIFY_WITH_TIMEOUT(QToolTip::text().contains(QStringLiteral("T 0.3, N 4")), 8000);
    }

    void theThemeChangesWhileItIsOpen() {
        Desk desk;
        desk.sweep(2);
        desk.open();
        QTRY_VERIFY_WITH_TIMEOUT(desk.window->runView()->isVisible(), 8000);
        for (const Scheme scheme : {Scheme::dark, Scheme::contrast, Scheme::light}) {
            applyTheme(*qApp, scheme);
            const Theme& theme = Theme::of(scheme);
            const auto repainted = [&] {
                const QImage image = desk.window->grab().toImage();
                int of_the_theme = 0, all = 0;
                for (int y = 4; y < image.height(); y += 9)
                    for (int x = 4; x < image.width(); x += 9, ++all)
                        for (const QColor& color : {theme.window, theme.surface, theme.raised})
                            if (image.pixelColor(x, y).rgb() == color.rgb()) {
                                ++of_the_theme;
                                break;
                            }
                return of_the_theme * 2 > all; // most of the window is its surfaces
            };
            QTRY_VERIFY_WITH_TIMEOUT(repainted(), 8000);
        }
    }

    void theWindowFitsASmallScreen() {
        Desk desk;
        desk.open();
        QVERIFY(desk.window->width() <= 1280 && desk.window->height() <= 680);
        QTRY_VERIFY_WITH_TIMEOUT(desk.window->statusStrip()->isVisible(), 8000);
        QVERIFY(desk.window->minimumSizeHint().height() <= 680);
        QVERIFY(desk.window->rect().contains(desk.window->statusStrip()->mapTo(
            desk.window.get(), desk.window->statusStrip()->rect().bottomRight())));
    }

    void theWindowRemembers() {
        Desk desk;
        const RunRecord older = desk.sweep(3);
        QTest::qWait(5);
        desk.sweep(2);
        desk.open();
        QTRY_VERIFY(desk.window->runView()->isVisible());
        desk.window->showRun(older.id);
        desk.window->resize(1001, 700);
        desk.window->runView()->figure5()->mapBox()->setCurrentIndex(1);
        desk.window->runView()->samples()->setFilter(VerdictFilter::mixed);
        desk.window->close();
        desk.window.reset();
        desk.feed.reset();
        desk.open();
        QCOMPARE(desk.window->size(), QSize(1001, 700));
        QCOMPARE(desk.window->runView()->figure5()->mapBox()->currentIndex(), 1);
        QCOMPARE(desk.window->runView()->samples()->filter(), VerdictFilter::mixed);
        QTRY_COMPARE(desk.window->runView()->runId(), older.id);
    }

    void longTextIsCutAndToldWhole() {
        Desk desk;
        RunRecord run = made_up::add_run(*desk.fixture.workspace, "sft", std::string(400, 'w') + " end", "",
                                         "", RunStatus::failed);
        run.error = std::string(3000, 'x') + ". Do something.";
        desk.fixture.workspace->update_run(run);
        desk.open();
        QTRY_VERIFY(desk.window->runView()->isVisible());
        QVERIFY(desk.window->width() <= 1400);
        auto* name = desk.window->runView()->header()->findChild<QLabel*>(QStringLiteral("runName"));
        QVERIFY(name->text().endsWith(QStringLiteral("end")));
        QVERIFY(name->width() < name->fontMetrics().horizontalAdvance(name->text()));
        // A hostile sample: very long, markup of its own.
        CompletionCard card;
        Completion completion;
        completion.text = QStringLiteral("<answer><script>alert(1)</script>") + QString(300000, u'a')
                          + QStringLiteral("</think></think>");
        card.setCompletion(completion);
        QVERIFY(card.body()->toPlainText().contains(QStringLiteral("<script>")));
        QVERIFY(card.body()->toPlainText().size() < 10000);
    }

    void everyControlHasAName() {
        Desk desk;
        desk.sweep(2);
        desk.open();
        QTRY_VERIFY(desk.window->runView()->isVisible());
        QVERIFY(desk.window->newRunPage()->choose(QStringLiteral("figure-5")));
        for (QWidget* widget : desk.window->findChildren<QWidget*>()) {
            if (!(widget->focusPolicy() & Qt::TabFocus) || !widget->isEnabled()
                || widget->window() != desk.window.get())
                continue;
            QString name = widget->accessibleName();
            if (const auto* button = qobject_cast<QAbstractButton*>(widget); name.isEmpty() && button)
                name = button->text();
            if (name.isEmpty()
                && (qobject_cast<QScrollArea*>(widget)
                    || widget->objectName().startsWith(QStringLiteral("qt_")) || !widget->parentWidget()))
                continue;
            if (name.isEmpty() && qobject_cast<QComboBox*>(widget->parentWidget()))
                continue; // the box's own name is read
            for (const QLabel* label : desk.window->findChildren<QLabel*>())
                if (label->buddy() == widget) name = label->text();
            QVERIFY2(!name.isEmpty(),
                     qPrintable(QString::fromLatin1(widget->metaObject()->className())
                                + QStringLiteral(" in ")
                                + QString::fromLatin1(widget->parentWidget()->metaObject()->className())));
        }
    }
};

QTEST_MAIN(TestWindow)
#include "tst_window.moc"
