#include "made_up_workspace.h"

#include "core/store/run_reader.h"
#include "ui/charts/heat_map.h"
#include "ui/main_window.h"
#include "ui/pages/card_row.h"
#include "ui/pages/figure5_page.h"
#include "ui/pages/run_view.h"
#include "ui/pages/samples_page.h"
#include "ui/run_feed.h"
#include "ui/theme/theme.h"

#include <QApplication>
#include <QElapsedTimer>
#include <QListView>
#include <QSettings>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>

#include <atomic>
#include <cstdlib>
#include <ctime>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

using namespace tempera;

/// The window over 26,000 samples and metrics of 60,000 steps that grow while two threads keep all cores
/// busy.
class TestEventGap : public QObject {
    Q_OBJECT

    static double cpuMilliseconds() {
        timespec now{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        return double(now.tv_sec) * 1e3 + double(now.tv_nsec) / 1e6;
    }

private Q_SLOTS:
    void theGuiThreadNeverBlocks() {
        applyTheme(*qApp, Scheme::light);
        QTemporaryDir folder;
        Workspace workspace(std::filesystem::path(folder.path().toStdString()) / "w",
                            Workspace::Access::read_write);
        const RunRecord sweep = made_up::add_run(workspace, "sweep", "sweep", "", "", RunStatus::running);
        const RunRecord train = made_up::add_run(workspace, "sft", "train", "", "", RunStatus::running);
        made_up::write_sweep(workspace.run_folder(sweep.id), 200, 13, 0);
        made_up::write_training(workspace.run_folder(train.id), 60000, 100000);
        QCOMPARE(RunReader(workspace.run_folder(sweep.id)).sample_count(), std::int64_t(26000));

        std::atomic<bool> done{false};
        std::vector<std::thread> load;
        for (int i = 0; i < 2; ++i)
            load.emplace_back([&done] {
                setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)),
                            5); // the GUI thread outranks the engine's
                volatile double x = 1;
                while (!done)
                    x = x * 1.0000001 + 1e-9;
            });
        load.emplace_back([&] { // the run goes on: a writer commits while the window reads
            RunWriter writer(workspace.run_folder(train.id));
            for (int step = 60001; !done; ++step) {
                const std::vector<Metric> metrics{{"loss", 0.3},
                                                  {"mean_token_accuracy", 0.9},
                                                  {"learning_rate", 1e-4},
                                                  {"tokens_per_second", 5000}};
                writer.on_metrics(step, metrics);
                writer.on_progress({"training", step, 100000, "steps", 5000, 60, 1});
                if (step % 20 == 0) writer.flush();
                std::this_thread::sleep_for(std::chrono::milliseconds(5));
            }
        });

        QSettings settings(folder.filePath(QStringLiteral("s.ini")), QSettings::IniFormat);
        RunFeed feed(workspace);
        MainWindow window({feed, nullptr, settings, {}, std::nullopt, {}});
        feed.start();
        window.resize(1280, 720);
        window.show();
        QTest::qWait(1500); // the first layout is start-up, not an event that blocks

        double worst_wall = 0;      // of a round
        double calmest_round = 1e9; // the smallest of the rounds' longest gaps
        double worst_cpu = 0;
        QByteArray phase = "train";
        QByteArray worst_phase;
        QElapsedTimer wall;
        wall.start();
        double cpu = cpuMilliseconds();
        QTimer ticks;
        ticks.setTimerType(Qt::PreciseTimer);
        connect(&ticks, &QTimer::timeout, this, [&] {
            worst_wall = std::max(worst_wall, double(wall.nsecsElapsed()) / 1e6);
            if (const double spent = cpuMilliseconds() - cpu; spent > worst_cpu) {
                worst_cpu = spent;
                worst_phase = phase;
            }
            if (qEnvironmentVariableIsSet("TEMPERA_GAPS") && cpuMilliseconds() - cpu > 20)
                qInfo("%s %.1f", phase.constData(), cpuMilliseconds() - cpu);
            wall.restart();
            cpu = cpuMilliseconds();
        });
        ticks.start(10);
        RunView* view = window.runView();
        for (int round = 0; round < 3; ++round) {
            worst_wall = 0;
            phase = "training charts";
            window.showRun(train.id);
            QTest::qWait(900);
            phase = "figure 5";
            window.showRun(sweep.id);
            view->showTab(QStringLiteral("figure5"));
            QTest::qWait(500);
            phase = "a cell's samples";
            HeatMap* map = view->figure5()->heatMap();
            QTest::mouseClick(map, Qt::LeftButton, {}, map->cellRect(6, 9).center().toPoint());
            QTest::qWait(700);
            phase = "next prompt";
            for (int i = 0; i < 6; ++i) {
                QTest::keyClick(view->samples()->promptList(), Qt::Key_J);
                QTest::qWait(80);
            }
            calmest_round = std::min(calmest_round, worst_wall);
        }
        ticks.stop();
        done = true;
        for (std::thread& thread : load)
            thread.join();
        QCOMPARE(view->samples()->row()->shownCards().size(), std::size_t(10));
        double others[1] = {0};
        getloadavg(others, 1);
        qInfo("longest gap %.1f ms; most work of the window between two ticks %.1f ms, at %s (load of the "
              "machine %.1f)",
              calmest_round, worst_cpu, worst_phase.constData(), others[0]);
        // What the window does blocks in every round; the kernel's scheduling of foreign load does not. With
        // much of that the wall clock says nothing, and shared caches make the same work take up to twice the
        // time.
        const bool quiet = others[0] < 4;
        QVERIFY2(worst_cpu <= (quiet ? 50 : 100), qPrintable(QString::number(worst_cpu)));
        if (quiet) QVERIFY2(calmest_round <= 50, qPrintable(QString::number(calmest_round)));
    }
};

QTEST_MAIN(TestEventGap)
#include "tst_event_gap.moc"
