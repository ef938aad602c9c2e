#include "desk.h"
#include "quiet.h"

#include "tests/support/cpu_clock.h"
#include "ui/pages/card_browser.h"
#include "ui/pages/card_row.h"
#include "ui/pages/completion_card.h"
#include "ui/pages/run_page.h"
#include "ui/pages/run_view.h"
#include "ui/pages/samples_page.h"
#include "ui/theme/theme.h"
#include "ui/widgets/run_list.h"

#include <QApplication>
#include <QLineEdit>
#include <QListView>
#include <QStandardPaths>
#include <QTextBrowser>
#include <QTimer>
#include <QTreeView>

#include <ctime>

using namespace tempera;
using test::Desk;

#define QTRY_LONG(condition) QTRY_VERIFY_WITH_TIMEOUT(condition, 20000)

/// The window over more than one looks at: it shows all of it, and no turn of its event loop takes long.
class TestMuchData : public QObject {
    Q_OBJECT

    static double cpuMilliseconds() {
        timespec now{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        return double(now.tv_sec) * 1e3 + double(now.tv_nsec) / 1e6;
    }
    /// The most processor time that the window takes between two turns while `act` is done and `done` is not
    /// yet true. Shared caches stretch it, so that the calmest of three tries counts; one within the bound is
    /// the calmest that matters.
    template <class Prepare, class Act, class Done>
    double longestTurn(Prepare prepare, Act act, Done done) {
        double calmest = 1e9;
        for (int round = 0; round < 3 && calmest > bound(); ++round) {
            Desk desk;
            prepare(desk);
            desk.open();
            desk.window->resize(1280, 720);
            test::waitUntilStill(200, 5000); // its start is no event that blocks
            double most = 0, last = cpuMilliseconds();
            QTimer ticks;
            connect(&ticks, &QTimer::timeout, this, [&] {
                const double now = cpuMilliseconds();
                most = std::max(most, now - last);
                last = now;
            });
            ticks.start(1);
            act(desk);
            for (int i = 0; i < 2000 && !done(desk); ++i)
                QTest::qWait(10);
            test::waitUntilStill(150, 5000);
            if (!done(desk)) return 1e9;
            calmest = std::min(calmest, most);
        }
        qInfo("longest turn %.1f ms", calmest);
        return calmest;
    }
    static constexpr double bound() { return double(test::allowed_ms(50)); }

private Q_SLOTS:
    void initTestCase() {
        QStandardPaths::setTestModeEnabled(true);
        applyTheme(*qApp, Scheme::light);
    }

    void twoHundredMetrics() {
        std::string id;
        const double longest = longestTurn(
            [&](Desk& desk) {
                id = desk.run("sft", "wide", "", [](auto f) { made_up::write_many_metrics(f, 200, 300); }).id;
                desk.run("sft", "shown first", "", [](auto f) { made_up::write_training(f, 20, 20); });
            },
            [&](Desk& desk) { desk.window->showRun(id); },
            [](Desk& desk) {
                return desk.window->runView()->charts()->chart(
                           QStringLiteral("layers/98/activation_of_a_long_name"))
                       != nullptr;
            });
        QVERIFY2(longest <= bound(), qPrintable(QString::number(longest)));
    }

    void aHundredSamplesOfAProblem() {
        const double longest = longestTurn(
            [&](Desk& desk) {
                desk.run("sweep", "many", "", [](auto f) { made_up::write_sweep(f, 4, 13, 0, 100); });
            },
            [](Desk& desk) {
                desk.showTab(QStringLiteral("samples"));
                desk.window->runView()->samples()->promptList()->setFocus();
                QTest::keyClick(desk.window->runView()->samples()->promptList(), Qt::Key_J);
            },
            [](Desk& desk) {
                const auto& cards = desk.window->runView()->samples()->row()->shownCards();
                return cards.size() == 100 && cards.back()->isVisible()
                       && cards.back()->completion().index == 99;
            });
        QVERIFY2(longest <= bound(), qPrintable(QString::number(longest)));
    }

    void aHundredThousandCharacters_data() {
        QTest::addColumn<int>("prompt");
        QTest::newRow("without a break") << 2;
        QTest::newRow("in lines") << 3;
    }
    void aHundredThousandCharacters() {
        QFETCH(int, prompt);
        const auto row_of = [](Desk& desk) { return desk.window->runView()->samples()->row(); };
        const double longest = longestTurn(
            [&](Desk& desk) { desk.run("sweep", "odd", "", [](auto f) { made_up::write_odd_samples(f); }); },
            [&](Desk& desk) {
                desk.showTab(QStringLiteral("samples"));
                QListView* list = desk.window->runView()->samples()->promptList();
                QTRY_LONG(list->model()->rowCount() == 4);
                list->setCurrentIndex(list->model()->index(prompt, 0));
                QTRY_LONG(row_of(desk)->shownCards().size() == 4
                          && row_of(desk)->key().endsWith(QString::number(prompt)));
                QTest::keyClick(list, Qt::Key_Return); // as much as a card shows
            },
            [&](Desk& desk) {
                const CompletionCard* card = row_of(desk)->currentCard();
                return card && row_of(desk)->whole() && card->body()->document()->characterCount() > 10000
                       && card->body()->toPlainText().contains(
                           QStringLiteral("more characters; C copies all"));
            });
        QVERIFY2(longest <= bound(), qPrintable(QString::number(longest)));
    }

    void aThousandRuns() {
        const double longest = longestTurn(
            [](Desk& desk) {
                for (int i = 0; i < 1000; ++i)
                    made_up::add_run(*desk.fixture.workspace, "sft",
                                     i == 999 ? "quintessence" : "run number " + std::to_string(i), "", "",
                                     RunStatus::finished);
            },
            // a word that no random id holds
            [](Desk& desk) {
                QTest::keyClicks(desk.window->runList()->searchBox(), QStringLiteral("quintessence"));
            },
            [](Desk& desk) { return desk.window->runList()->view()->model()->rowCount() == 1; });
        QVERIFY2(longest <= bound(), qPrintable(QString::number(longest)));
    }
};

QTEST_MAIN(TestMuchData)
#include "tst_much_data.moc"
