#include "desk.h"

#include "ui/charts/heat_map.h"
#include "ui/forms/field_editor.h"
#include "ui/forms/recipe_form.h"
#include "ui/main_window.h"
#include "ui/pages/card_row.h"
#include "ui/pages/completion_card.h"
#include "ui/pages/figure5_page.h"
#include "ui/pages/log_page.h"
#include "ui/pages/new_run_page.h"
#include "ui/pages/run_view.h"
#include "ui/pages/samples_page.h"
#include "ui/run_feed.h"
#include "ui/theme/text.h"
#include "ui/theme/theme.h"
#include "ui/widgets/banner.h"
#include "ui/widgets/run_header.h"
#include "ui/widgets/run_list.h"
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
#include <QMessageBox>
#include <QPushButton>
#include <QScrollArea>
#include <QSettings>
#include <QShortcut>
#include <QSplitter>
#include <QStandardPaths>
#include <QTabBar>
#include <QTemporaryDir>
#include <QTest>
#include <QTextBrowser>
#include <QTimer>
#include <QToolButton>
#include <QToolTip>
#include <QTreeView>

using namespace tempera;
using test::Desk;

class TestWindow : public QObject {
    Q_OBJECT

    static void click(QWidget* widget) {
        QVERIFY(widget && widget->isEnabled());
        QTest::mouseClick(widget, Qt::LeftButton);
    }

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

    void everyFieldOfEveryKindHasAnEditor() {
        for (const RecipeKind& kind : recipe_kinds()) {
            RecipeForm form(kind);
            form.showAll(true);
            form.setRecipe(Json{{"kind", kind.kind}});
            for (const Field& field : kind.fields) {
                QVERIFY(form.editor(field.name));
                QVERIFY(!form.editor(field.name)->input()->accessibleName().isEmpty());
                QVERIFY2(form.editor(field.name)->value() == field.default_value, field.name.c_str());
            }
        }
    }

    void aPresetMovesWhatIsNotSet() {
        RecipeForm form(recipe_kind("rloo"));
        form.showAll(true);
        form.setRecipe(Json{{"kind", "rloo"}, {"temperature", 0.9}});
        QVERIFY(form.recipe() == (Json{{"kind", "rloo"}, {"temperature", 0.9}})); // nothing else is spelt out
        const double before = form.editor("kl_coef")->value()->get<double>();
        form.editor("preset")->setText(QStringLiteral("paper"));
        QCOMPARE(form.editor("kl_coef")->value()->get<double>(), 0.03);
        QVERIFY(before != 0.03);
        QVERIFY(!form.editor("kl_coef")->changedFromDefault());
        QCOMPARE(form.editor("temperature")->value()->get<double>(), 0.9); // it was set
        QVERIFY(form.editor("temperature")->changedFromDefault());
        form.editor("temperature")->reset();
        QCOMPARE(form.editor("temperature")->value()->get<double>(), 0.7); // the preset's
        QVERIFY(form.recipe() == (Json{{"kind", "rloo"}, {"preset", "paper"}}));
        form.editor("preset")->setText(QStringLiteral("trl"));
        QCOMPARE(form.editor("kl_coef")->value()->get<double>(), before);
    }

    void stopResumeAndCancelAct() {
        Desk desk;
        desk.fixture.engine.scripts["long"] = test::ScriptedEngine::endless;
        desk.open();
        const auto ids = desk.fixture.queue->submit(desk.fixture.sft("long"));
        RunHeader* header = desk.window->runView()->header();
        QTRY_VERIFY_WITH_TIMEOUT(desk.button(header, QStringLiteral("Stop")), 8000);
        QVERIFY(header->statusLine().contains(QStringLiteral("running")));
        click(desk.button(header, QStringLiteral("Stop")));
        QTRY_COMPARE_WITH_TIMEOUT(desk.fixture.status(ids[0]), RunStatus::stopped, 8000);
        QTRY_VERIFY_WITH_TIMEOUT(desk.button(header, QStringLiteral("Resume")), 8000);
        click(desk.button(header, QStringLiteral("Resume")));
        QTRY_VERIFY_WITH_TIMEOUT(desk.button(header, QStringLiteral("Cancel")), 8000);
        QTRY_COMPARE_WITH_TIMEOUT(desk.fixture.status(ids[0]), RunStatus::running, 8000);
        click(desk.button(header, QStringLiteral("Cancel")));
        QTRY_COMPARE_WITH_TIMEOUT(desk.fixture.status(ids[0]), RunStatus::cancelled, 8000);
    }

    void aFailureSaysWhatAndWhy() {
        Desk desk;
        desk.fixture.engine.scripts["bad"] = [](const RunRequest&, RunObserver&,
                                                const StopToken&) -> RunOutcome {
            fail(ErrorKind::numeric, "The loss became NaN at step 3; lower the learning rate.");
        };
        desk.open();
        desk.fixture.queue->submit(desk.fixture.sft("bad"));
        QTRY_VERIFY_WITH_TIMEOUT(desk.window->runView()->findChild<Banner*>(), 8000);
        const Banner* banner = desk.window->runView()->findChild<Banner*>();
        QVERIFY(banner->text().contains(QStringLiteral("NaN at step 3")));
        QTRY_VERIFY(desk.button(desk.window->runView(), QStringLiteral("Copy")));
        click(desk.button(desk.window->runView(), QStringLiteral("Copy")));
        QVERIFY(QApplication::clipboard()->text().contains(QStringLiteral("NaN at step 3")));
        QTRY_VERIFY(desk.window->statusStrip()->text().contains(QStringLiteral("NaN at step 3")));
    }

    void closingAsksStopsAndOffersResume() {
        Desk desk;
        desk.fixture.engine.scripts["long"] = test::ScriptedEngine::endless;
        desk.open();
        const auto ids = desk.fixture.queue->submit(desk.fixture.sft("long"));
        QTRY_VERIFY_WITH_TIMEOUT(desk.button(desk.window->runView()->header(), QStringLiteral("Stop")), 8000);
        desk.window->close();
        QVERIFY(desk.window->isVisible());
        QTRY_VERIFY(desk.window->question() && desk.window->question()->isVisible());
        click(desk.window->question()->button(QMessageBox::Cancel));
        QTRY_VERIFY(!desk.window->question());
        QVERIFY(desk.window->isVisible());
        QCOMPARE(desk.fixture.status(ids[0]), RunStatus::running);
        desk.window->close();
        QTRY_VERIFY(desk.window->question());
        click(desk.window->question()->findChild<QPushButton*>(QStringLiteral("accept")));
        QTRY_VERIFY_WITH_TIMEOUT(!desk.window->isVisible(), 8000);
        QCOMPARE(desk.fixture.status(ids[0]), RunStatus::stopped);
        // The next start.
        desk.window.reset();
        desk.feed.reset();
        desk.fixture.queue.reset();
        desk.fixture.make_queue();
        desk.open();
        QTRY_COMPARE(desk.window->banners().size(), std::size_t(1));
        QVERIFY(desk.window->banners()[0]->text().contains(QStringLiteral("long")));
        QTRY_VERIFY(desk.button(desk.window->banners()[0], QStringLiteral("Resume")));
        click(desk.button(desk.window->banners()[0], QStringLiteral("Resume")));
        QTRY_COMPARE_WITH_TIMEOUT(desk.fixture.status(ids[0]), RunStatus::running, 8000);
        // The catalogue says running before the engine is called.
        QTRY_COMPARE_WITH_TIMEOUT(desk.fixture.engine.requests().size(), std::size_t(2), 8000);
        QVERIFY(desk.fixture.engine.requests().back().resume);
        desk.fixture.queue->cancel(ids[0]);
        QTRY_COMPARE_WITH_TIMEOUT(desk.fixture.status(ids[0]), RunStatus::cancelled, 8000);
    }

    void aSecondWindowIsReadOnly() {
        Desk desk;
        desk.fixture.engine.scripts["long"] = test::ScriptedEngine::endless;
        desk.fixture.queue->start();
        const auto ids = desk.fixture.queue->submit(desk.fixture.sft("long"));
        QVERIFY_EXCEPTION_THROWN(Workspace(desk.fixture.workspace->folder(), Workspace::Access::read_write),
                                 Error);
        Workspace second(desk.fixture.workspace->folder(), Workspace::Access::read_only);
        QSettings settings(QString::fromStdString((desk.fixture.root() / "second.ini").string()),
                           QSettings::IniFormat);
        RunFeed feed(second);
        MainWindow window({feed, nullptr, settings, shipped_recipes(), std::nullopt,
                           QStringLiteral("Held by another program; read-only here.")});
        feed.start();
        window.show();
        QCOMPARE(window.banners().size(), std::size_t(1));
        QVERIFY(window.banners()[0]->text().contains(QStringLiteral("read-only")));
        QTRY_COMPARE_WITH_TIMEOUT(window.runView()->runId(), ids[0], 8000); // it watches all the same
        QTRY_VERIFY_WITH_TIMEOUT(window.runView()->header()->statusLine().contains(QStringLiteral("running")),
                                 8000);
        for (QPushButton* button : window.runView()->header()->findChildren<QPushButton*>())
            QVERIFY(!button->isVisible() || !button->isEnabled());
        QVERIFY(!window.newRunPage()->startable());
        desk.fixture.queue->cancel(ids[0]);
    }

    void aDeletedRunComesBackWithUndo() {
        Desk desk;
        const RunRecord kept = desk.sweep(1);
        QTest::qWait(5);
        const RunRecord run = desk.sweep(1);
        const auto folder = desk.fixture.workspace->run_folder(run.id);
        desk.open();
        QTreeView* list = desk.window->runList()->view();
        QTRY_COMPARE_WITH_TIMEOUT(list->model()->rowCount(), 2, 8000);
        const auto remove = [&] {
            // By the context menu of the row.
            const QModelIndex row = list->model()->index(0, 0);
            QTimer::singleShot(0, desk.window.get(), [] {
                auto* menu = qobject_cast<QMenu*>(QApplication::activePopupWidget());
                QVERIFY(menu);
                for (QAction* action : menu->actions())
                    if (action->text() == QStringLiteral("Delete")) {
                        menu->setActiveAction(action);
                        QTest::keyClick(menu, Qt::Key_Return);
                        return;
                    }
                menu->close();
            });
            Q_EMIT list->customContextMenuRequested(list->visualRect(row).center());
        };
        remove();
        QTRY_COMPARE_WITH_TIMEOUT(list->model()->rowCount(), 1, 8000);
        QCOMPARE(desk.window->banners().size(), std::size_t(1));
        QVERIFY(desk.window->banners()[0]->text().contains(QStringLiteral("is deleted")));
        QVERIFY(std::filesystem::exists(folder)); // not yet
        click(desk.window->banners()[0]->findChild<QPushButton*>(QStringLiteral("undo")));
        QTRY_COMPARE_WITH_TIMEOUT(list->model()->rowCount(), 2, 8000);
        QTRY_COMPARE_WITH_TIMEOUT(desk.window->runView()->runId(), run.id, 8000);
        QVERIFY(desk.fixture.workspace->run(run.id));
        // Again, and taken back by the shortcut.
        remove();
        QTRY_COMPARE_WITH_TIMEOUT(list->model()->rowCount(), 1, 8000);
        QTRY_VERIFY_WITH_TIMEOUT(desk.window->banners().size() == 1, 8000);
        for (QShortcut* shortcut : desk.window->findChildren<QShortcut*>())
            if (shortcut->key() == QKeySequence(QKeySequence::Undo)) Q_EMIT shortcut->activated();
        QTRY_COMPARE_WITH_TIMEOUT(list->model()->rowCount(), 2, 8000);
        // Nobody takes it back: it is gone when the time is over.
        desk.window->setUndoTime(1);
        remove();
        QTRY_VERIFY_WITH_TIMEOUT(!desk.fixture.workspace->run(run.id), 8000);
        QTRY_VERIFY_WITH_TIMEOUT(!std::filesystem::exists(folder), 8000);
        QCOMPARE(list->model()->rowCount(), 1);
        QVERIFY(desk.fixture.workspace->run(kept.id));
        QTRY_VERIFY_WITH_TIMEOUT(desk.window->banners().empty(), 8000);
        // What waits to be deleted when the window closes is deleted.
        desk.window->setUndoTime(1000000);
        remove();
        QTRY_COMPARE_WITH_TIMEOUT(list->model()->rowCount(), 0, 8000);
        desk.window->close();
        desk.window.reset();
        desk.feed.reset();
        QVERIFY(!desk.fixture.workspace->run(kept.id));
    }

    void aCancelledRunThatHadNotBegunIsQueuedAgain() {
        Desk desk;
        desk.fixture.engine.scripts["long"] = test::ScriptedEngine::endless;
        desk.open();
        const auto first = desk.fixture.queue->submit(desk.fixture.sft("long"));
        const auto second = desk.fixture.queue->submit(desk.fixture.sft("waits"));
        QTRY_COMPARE_WITH_TIMEOUT(desk.fixture.status(first[0]), RunStatus::running, 8000);
        desk.window->showRun(second[0]);
        RunHeader* header = desk.window->runView()->header();
        QTRY_COMPARE_WITH_TIMEOUT(desk.window->runView()->runId(), second[0], 8000);
        QTRY_VERIFY_WITH_TIMEOUT(desk.button(header, QStringLiteral("Cancel")), 8000);
        click(desk.button(header, QStringLiteral("Cancel")));
        QTRY_COMPARE_WITH_TIMEOUT(desk.fixture.status(second[0]), RunStatus::cancelled, 8000);
        QTRY_COMPARE_WITH_TIMEOUT(desk.window->banners().size(), std::size_t(1), 8000);
        click(desk.window->banners()[0]->findChild<QPushButton*>(QStringLiteral("undo")));
        QTRY_COMPARE_WITH_TIMEOUT(desk.fixture.status(second[0]), RunStatus::queued, 8000);
        desk.fixture.queue->cancel(second[0]);
        desk.fixture.queue->cancel(first[0]);
        QTRY_COMPARE_WITH_TIMEOUT(desk.fixture.status(first[0]), RunStatus::cancelled, 8000);
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
