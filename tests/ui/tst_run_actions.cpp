#include "desk.h"
#include "hands.h"

#include "ui/main_window.h"
#include "ui/pages/new_run_page.h"
#include "ui/pages/run_view.h"
#include "ui/run_feed.h"
#include "ui/theme/theme.h"
#include "ui/widgets/banner.h"
#include "ui/widgets/run_header.h"
#include "ui/widgets/run_list.h"
#include "ui/widgets/status_strip.h"

#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QMenu>
#include <QMessageBox>
#include <QPushButton>
#include <QSettings>
#include <QShortcut>
#include <QStandardPaths>
#include <QTest>
#include <QTimer>
#include <QTreeView>

using namespace tempera;
using test::click;
using test::Desk;

/// What is done to runs from the window: stop, resume, cancel, delete, undo; and who may.
class TestRunActions : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() {
        QStandardPaths::setTestModeEnabled(true);
        applyTheme(*qApp, Scheme::light);
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
        QCOMPARE(desk.window->runView()->runId(), kept.id); // the one beside it, not an empty page
        QVERIFY(desk.window->runView()->isVisible());
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

    void theDeleteKeyTakesTheRunAndAStudysMenuNamesIt() {
        Desk desk;
        const std::string study = desk.fixture.workspace->add_study({"", "A table", "{}", 1}).id;
        const RunRecord first =
            made_up::add_run(*desk.fixture.workspace, "sft", "one & only", study, "sft", RunStatus::finished);
        desk.open();
        RunList* runs = desk.window->runList();
        QTreeView* list = runs->view();
        QTRY_VERIFY_WITH_TIMEOUT(!runs->currentRun().empty(), 8000);
        QVERIFY(list->hasFocus()); // and no button that acts on the run
        runs->select(study);
        QTest::keyClick(list, Qt::Key_Delete);
        QVERIFY(desk.window->banners().empty()); // a study is more than the run it shows
        QStringList texts;
        QTimer::singleShot(0, desk.window.get(), [&] {
            auto* menu = qobject_cast<QMenu*>(QApplication::activePopupWidget());
            QVERIFY(menu);
            for (const QAction* action : menu->actions())
                texts << action->text();
            menu->close();
        });
        Q_EMIT list->customContextMenuRequested(list->visualRect(list->model()->index(0, 0)).center());
        QVERIFY2(texts.contains(QStringLiteral("Delete “one && only”")), qPrintable(texts.join(u'|')));
        runs->select(first.id);
        QTest::keyClick(list, Qt::Key_Delete);
        QCOMPARE(desk.window->banners().size(), std::size_t(1));
        QVERIFY(desk.window->banners()[0]->text().contains(QStringLiteral("“one & only” is deleted")));
        desk.window->setUndoTime(1000000);
    }

    void aStartedRunIsNotAKeyAwayFromItsEnd() {
        Desk desk;
        desk.fixture.engine.scripts["long"] = test::ScriptedEngine::endless;
        desk.open();
        NewRunPage* form = desk.window->newRunPage();
        form->setRecipe(desk.fixture.sft("long"));
        for (QShortcut* shortcut : desk.window->findChildren<QShortcut*>())
            if (shortcut->key() == QKeySequence(QKeySequence::New)) Q_EMIT shortcut->activated();
        const auto* from = form->findChild<QComboBox*>(); // of none of the recipes that are listed
        QVERIFY(from->hasFocus());
        QCOMPARE(from->currentIndex(), -1);
        QCOMPARE(from->placeholderText(), QStringLiteral("Supervised fine-tuning"));
        auto* start = desk.button(form, QStringLiteral("Start"));
        start->setFocus();
        QTest::keyClick(start, Qt::Key_Space);
        RunHeader* header = desk.window->runView()->header();
        QTRY_VERIFY_WITH_TIMEOUT(desk.button(header, QStringLiteral("Cancel")), 8000);
        QVERIFY(desk.window->runList()->view()->hasFocus());
        const std::string id = desk.window->runView()->runId();
        QTest::keyClick(QApplication::focusWidget(), Qt::Key_Space);
        QTest::keyClick(QApplication::focusWidget(), Qt::Key_Return);
        QTest::qWait(50);
        QCOMPARE(desk.fixture.status(id), RunStatus::running);
        desk.fixture.queue->cancel(id);
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
};

QTEST_MAIN(TestRunActions)
#include "tst_run_actions.moc"
