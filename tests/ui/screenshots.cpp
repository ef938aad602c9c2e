#include "made_up_workspace.h"

#include "core/queue/run_queue.h"
#include "ui/main_window.h"
#include "ui/pages/new_run_page.h"
#include "ui/pages/run_view.h"
#include "ui/run_feed.h"
#include "ui/theme/theme.h"
#include "ui/widgets/run_list.h"

#include <QApplication>
#include <QCheckBox>
#include <QDir>
#include <QElapsedTimer>
#include <QSettings>
#include <QTabBar>
#include <QTemporaryDir>

// usage: ui_screenshots FOLDER [light|dark|contrast] [WIDTHxHEIGHT]

using namespace tempera;

static void settle(int milliseconds) {
    QElapsedTimer timer;
    timer.start();
    while (timer.elapsed() < milliseconds)
        QApplication::processEvents(QEventLoop::AllEvents, 20);
}

int main(int argc, char** argv) {
    QApplication application(argc, argv);
    if (argc < 2) return 2;
    const QString scheme = argc > 2 ? QString::fromLatin1(argv[2]) : QStringLiteral("light");
    applyTheme(application, scheme == QStringLiteral("dark")       ? Scheme::dark
                            : scheme == QStringLiteral("contrast") ? Scheme::contrast
                                                                   : Scheme::light);
    const QStringList size = QString::fromLatin1(argc > 3 ? argv[3] : "1280x720").split(QChar(u'x'));

    QTemporaryDir temporary;
    const std::filesystem::path root = temporary.path().toStdString();
    Workspace workspace(root / "tempera", Workspace::Access::read_write);
    StudyRecord study = workspace.add_study({"", "Figure 5 in minutes", "{}", made_up::now_ms() - 400'000});
    RunRecord sft = made_up::add_run(workspace, "sft", "figure-5 sft", study.id, "sft", RunStatus::finished);
    RunRecord sweep =
        made_up::add_run(workspace, "sweep", "figure-5 sweep", study.id, "sweep", RunStatus::running);
    StudyRecord other =
        workspace.add_study({"", "SmolLM2 on Countdown, LoRA, with a long name that has to be cut somewhere",
                             "{}", made_up::now_ms() - 900'000});
    RunRecord live = made_up::add_run(workspace, "sft", "countdown-smollm2 sft", other.id, "sft",
                                      RunStatus::running, {{"method", "lora"}});
    made_up::add_run(workspace, "sweep", "countdown-smollm2 sweep", other.id, "sweep", RunStatus::queued);
    RunRecord failed = made_up::add_run(workspace, "sft", "sft-high-lr", "", "", RunStatus::failed,
                                        {{"learning_rate", 0.5}});
    RunRecord stopped = made_up::add_run(workspace, "sft", "sft-tiny-3", "", "", RunStatus::stopped);
    made_up::write_training(workspace.run_folder(sft.id), 200, 200);
    made_up::write_training(workspace.run_folder(live.id), 812, 2000);
    made_up::write_training(workspace.run_folder(failed.id), 310, 2000, true);
    made_up::write_training(workspace.run_folder(stopped.id), 90, 400);
    made_up::write_sweep(workspace.run_folder(sweep.id), 100, 10, 0.6);
    sft.headline["eval_loss"] = 0.41;
    sft.progress = {"", 200, 200, "steps", 5200, -1, 1.4};
    live.progress = {"training", 812, 2000, "steps", 5210, 368, 1.4};
    sweep.progress = {"sampling", 10600, 13000, "samples", 2810, 72, 0.9};
    failed.error = "The loss became NaN at step 310 (batch rows 4, 17, 22): the learning rate 0.5 is far too "
                   "high for this model; lower it, then resume from the checkpoint of step 300.";
    stopped.progress = {"training", 90, 400, "steps", 5000, -1, 1.4};
    for (const RunRecord* run : {&sft, &live, &sweep, &failed, &stopped})
        workspace.update_run(*run);

    QSettings settings(temporary.filePath(QStringLiteral("settings.ini")), QSettings::IniFormat);
    RunQueue queue(workspace, load_engine, [](const RunRecord&) {});
    RunFeed feed(workspace);
    MainWindow window({feed, &queue, settings, shipped_recipes(), paper_values(), {}});
    feed.start();
    window.resize(size[0].toInt(), size[1].toInt());
    window.show();
    settle(1500);
    QDir().mkpath(QString::fromLocal8Bit(argv[1]));
    const auto grab = [&](const char* name) {
        settle(1200);
        window.grab().save(QStringLiteral("%1/%2-%3.png")
                               .arg(QString::fromLocal8Bit(argv[1]), QString::fromLatin1(name), scheme));
    };
    window.showRun(live.id);
    grab("run");
    window.showRun(sweep.id);
    grab("figure5");
    window.runView()->showTab(QStringLiteral("samples"));
    grab("samples");
    window.showRun(sft.id);
    window.runView()->showTab(QStringLiteral("recipe"));
    grab("recipe");
    window.showRun(failed.id);
    window.runView()->showTab(QStringLiteral("log"));
    grab("log");
    window.showNewRun();
    window.newRunPage()->choose(QStringLiteral("figure-5"));
    grab("new-run");
    window.newRunPage()->allBox()->setChecked(true);
    grab("new-run-all");
    return 0;
}
