#include "../support/paths.h"
#include "area_screenshots.h"
#include "layout_audit.h"
#include "made_up_workspace.h"

#include "core/queue/run_queue.h"
#include "ui/main_window.h"
#include "ui/pages/card_browser.h"
#include "ui/pages/new_run_page.h"
#include "ui/pages/rollouts_page.h"
#include "ui/pages/run_view.h"
#include "ui/pages/samples_page.h"
#include "ui/pages/win_rate_page.h"
#include "ui/run_feed.h"
#include "ui/theme/theme.h"
#include "ui/widgets/run_list.h"
#include "ui/work_areas.h"

#include <QApplication>
#include <QCheckBox>
#include <QDir>
#include <QElapsedTimer>
#include <QKeyEvent>
#include <QListView>
#include <QSettings>
#include <QTabBar>
#include <QTemporaryDir>

#include <optional>

// usage: ui_screenshots FOLDER [light|dark|contrast] [WIDTHxHEIGHT] [much|little|none|extreme] [TEXT PERCENT]
// Prints what layout_audit.h finds on every page.
// QT_SCALE_FACTOR=2 for a screen at 200 %.

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

    if (argc > 5) { // size of the text in percent
        QFont font = application.font();
        font.setPointSizeF(font.pointSizeF() * QString::fromLatin1(argv[5]).toDouble() / 100);
        QApplication::setFont(font);
    }
    const QString amount = QString::fromLatin1(argc > 4 ? argv[4] : "much");
    const bool none = amount == QStringLiteral("none"), little = amount == QStringLiteral("little");

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
    StudyRecord table = workspace.add_study({"", "Table 1", "{}", made_up::now_ms() - 200'000});
    const std::string byte_model = (root / "policy").string();
    made_up::make_byte_tokenizer(byte_model);
    RunRecord dpo = made_up::add_run(workspace, "dpo", "table-1 dpo", table.id, "dpo", RunStatus::running);
    RunRecord rloo = made_up::add_run(workspace, "rloo", "table-1 rloo", table.id, "rloo-deberta",
                                      RunStatus::running, {{"model", byte_model}});
    RunRecord synthetic =
        made_up::add_run(workspace, "synthetic", "synthetic-1600", "", "", RunStatus::finished);
    std::vector<RunRecord> rates;
    const std::pair<const char*, double> compared[] = {
        {"win-sft", 0.05}, {"win-dpo", 0.45}, {"win-rloo-deberta-with-a-long-name", 0.9}};
    for (const auto& [stage, edge] : compared)
        rates.push_back(made_up::add_run(
            workspace, "win_rate", std::string("table-1 ") + stage, table.id, stage, RunStatus::finished,
            Json{{"paper", "table_1.dpo_full"}, {"base", byte_model}, {"tuned", byte_model}}));
    if (!none) {
        const int part = little ? 8 : 1;
        made_up::write_training(workspace.run_folder(sft.id), 200 / part, 200);
        made_up::write_training(workspace.run_folder(live.id), 812 / part, 2000);
        made_up::write_training(workspace.run_folder(failed.id), 310 / part, 2000, true);
        made_up::write_training(workspace.run_folder(stopped.id), 90 / part, 400);
        made_up::write_sweep(workspace.run_folder(sweep.id), 100 / part, little ? 2 : 10, 0.6);
        made_up::write_dpo(workspace.run_folder(dpo.id), 420 / part, 600);
        made_up::write_rloo(workspace.run_folder(rloo.id), little ? 9 : 260, 400, 8, little ? 2 : 4);
        RunWriter writer(workspace.run_folder(synthetic.id));
        for (const auto& [name, value] : {std::pair("asked", 2000), std::pair("parsed", 1904),
                                          std::pair("correct", 1712), std::pair("new", 1600)})
            writer.on_headline(name, value);
        writer.on_metrics(250, std::vector<Metric>{{"prompt_tokens", 190000}, {"cost", 1.5}});
        for (std::size_t i = 0; i < rates.size(); ++i)
            if (!little || i < 2)
                made_up::write_win_rate(workspace.run_folder(rates[i].id), little ? 5 : 200,
                                        compared[i].second);
    }
    sft.headline["eval_loss"] = 0.41;
    sft.progress = {"", 200, 200, "steps", 5200, -1, 1.4};
    live.progress = {"training", 812, 2000, "steps", 5210, 368, 1.4};
    sweep.progress = {"sampling", 10600, 13000, "samples", 2810, 72, 0.9};
    failed.error = "The loss became NaN at step 310 (batch rows 4, 17, 22): the learning rate 0.5 is far too "
                   "high for this model; lower it, then resume from the checkpoint of step 300.";
    stopped.progress = {"training", 90, 400, "steps", 5000, -1, 1.4};
    dpo.progress = {"training", 420, 600, "steps", 1450, 380, 3.4};
    rloo.progress = {"training", 260, 400, "steps", 910, 590, 5.9};
    for (const RunRecord* run : {&sft, &live, &sweep, &failed, &stopped, &dpo, &rloo})
        workspace.update_run(*run);

    std::optional<RunRecord> odd, wide;
    if (amount == QStringLiteral("extreme")) {
        odd = made_up::add_run(workspace, "sweep",
                               std::string(300, 'x') + " שלום مرحبا 👩‍👩‍👧 <b>name</b>",
                               "", "", RunStatus::finished);
        made_up::write_odd_samples(workspace.run_folder(odd->id));
        wide = made_up::add_run(workspace, "sft", "two hundred metrics", "", "", RunStatus::finished);
        made_up::write_many_metrics(workspace.run_folder(wide->id), 200, 500);
        for (int i = 0; i < 1000; ++i)
            made_up::add_run(workspace, "sft", "run number " + std::to_string(i) + " of a long series", "",
                             "", i % 3 == 0 ? RunStatus::failed : RunStatus::finished);
    }
    areas::fill_models(root / "tempera", source_dir());
    qputenv("TEMPERA_CACHE", temporary.filePath(QStringLiteral("cache")).toUtf8());
    qputenv("TEMPERA_CONFIG", temporary.filePath(QStringLiteral("config")).toUtf8());
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
        for (int i = 0; i < 20; ++i) // on a busy machine one turn may take all of that time
            QApplication::processEvents();
        const test::LayoutAudit audit(window);
        for (const QString& fault : audit.faults())
            qInfo("%s: %s", name, qPrintable(fault));
        window.grab().save(QStringLiteral("%1/%2-%3.png")
                               .arg(QString::fromLocal8Bit(argv[1]), QString::fromLatin1(name), scheme));
    };
    window.showRun(live.id);
    grab("run");
    window.showRun(sweep.id);
    grab("figure5");
    window.runView()->showTab(QStringLiteral("samples"));
    grab("samples");
    const auto press = [&](QListView* list, std::initializer_list<Qt::Key> keys) {
        list->setFocus();
        for (const Qt::Key key : keys) {
            QKeyEvent event(QEvent::KeyPress, key, Qt::NoModifier);
            QApplication::sendEvent(list, &event);
            settle(150);
        }
    };
    press(window.runView()->samples()->promptList(), {Qt::Key_L, Qt::Key_D});
    grab("samples-difference");
    press(window.runView()->samples()->promptList(), {Qt::Key_D});
    window.showRun(dpo.id);
    grab("dpo");
    window.showRun(rloo.id);
    window.runView()->showTab(QStringLiteral("charts"));
    grab("rloo");
    window.runView()->showTab(QStringLiteral("rollouts"));
    grab("rollouts");
    QListView* groups = window.runView()->rollouts()->browser()->list();
    press(groups, {Qt::Key_T, Qt::Key_Period, Qt::Key_Period, Qt::Key_Period});
    grab("lens-logprob");
    press(groups, {Qt::Key_T});
    grab("lens-difference");
    press(groups, {Qt::Key_T, Qt::Key_T});
    grab("lens-advantage");
    press(groups, {Qt::Key_T});
    window.showRun(rates[1].id);
    grab("win-rate");
    QListView* prompts = window.runView()->winRate()->browser()->list();
    press(prompts, {Qt::Key_T, Qt::Key_Period, Qt::Key_Period});
    grab("win-rate-lens");
    press(prompts, {Qt::Key_T, Qt::Key_D});
    grab("win-rate-difference");
    window.showRun(synthetic.id);
    grab("funnel");
    window.showRun(sft.id);
    window.runView()->showTab(QStringLiteral("recipe"));
    grab("recipe");
    window.showRun(failed.id);
    window.runView()->showTab(QStringLiteral("log"));
    grab("log");
    if (odd) {
        window.showRun(odd->id);
        window.runView()->showTab(QStringLiteral("samples"));
        grab("odd");
        for (const char* more : {"odd-2", "odd-3", "odd-4"}) {
            press(window.runView()->samples()->promptList(), {Qt::Key_J});
            grab(more);
        }
        window.runView()->showTab(QStringLiteral("figure5"));
        grab("odd-figure5");
        window.showRun(wide->id);
        window.runView()->showTab(QStringLiteral("charts"));
        grab("many-metrics");
    }
    window.showNewRun();
    window.newRunPage()->choose(QStringLiteral("figure-5"));
    grab("new-run");
    window.newRunPage()->allBox()->setChecked(true);
    grab("new-run-all");
    areas::grab_models(window, root / "tempera", grab);
    areas::grab_data(window, areas::write_preferences(root / "helpful-preferences", little ? 9 : 4000), grab);
    areas::grab_settings(window, grab);
    return 0;
}
