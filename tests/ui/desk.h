#pragma once

#include "../core/queue/scripted_engine.h"
#include "made_up_workspace.h"

#include "ui/main_window.h"
#include "ui/pages/run_view.h"
#include "ui/run_feed.h"

#include <QPushButton>
#include <QSettings>
#include <QTabBar>
#include <QTest>

#include <map>
#include <memory>

namespace tempera::test {

/// A window over a workspace with a scripted engine.
struct Desk {
    QueueFixture fixture{false};
    std::unique_ptr<QSettings> settings;
    std::unique_ptr<RunFeed> feed;
    std::unique_ptr<MainWindow> window;

    explicit Desk(bool with_queue = true) {
        if (with_queue) fixture.make_queue();
    }
    /// What the user had set before.
    void configure(const std::map<QString, QVariant>& values) {
        settings = std::make_unique<QSettings>(
            QString::fromStdString((fixture.root() / "settings.ini").string()), QSettings::IniFormat);
        for (const auto& [key, value] : values)
            settings->setValue(key, value);
    }
    void open() {
        if (!settings) configure({});
        feed = std::make_unique<RunFeed>(*fixture.workspace);
        window = std::make_unique<MainWindow>(
            MainWindow::Parts{*feed, fixture.queue.get(), *settings, shipped_recipes(), paper_values(), {}});
        feed->start();
        if (fixture.queue) fixture.queue->start();
        window->show();
        QVERIFY(QTest::qWaitForWindowExposed(window.get()));
    }
    /// Shows that tab of the run in view, as soon as its run is there.
    void showTab(const QString& key) {
        QTabBar* tabs = window->runView()->tabs();
        QTRY_VERIFY_WITH_TIMEOUT(
            [&] {
                for (int i = 0; i < tabs->count(); ++i)
                    if (tabs->tabData(i).toString() == key) return true;
                return false;
            }(),
            20000);
        window->runView()->showTab(key);
    }
    ~Desk() {
        window.reset();
        feed.reset();
    }
    RunRecord sweep(int problems = 20) {
        RunRecord run = made_up::add_run(*fixture.workspace, "sweep", "a sweep", "", "", RunStatus::finished);
        made_up::write_sweep(fixture.workspace->run_folder(run.id), problems, 12, 0.5);
        return run;
    }
    /// A run of a kind of the preference half, finished, with what `write` puts into its folder.
    template <typename Write>
    RunRecord run(const std::string& kind, const std::string& stage, const std::string& study, Write write,
                  Json recipe = Json::object()) {
        RunRecord run = made_up::add_run(*fixture.workspace, kind, stage, study, stage, RunStatus::finished,
                                         std::move(recipe));
        write(fixture.workspace->run_folder(run.id));
        return run;
    }
    QPushButton* button(QWidget* where, const QString& text) {
        for (QPushButton* button : where->findChildren<QPushButton*>())
            if (button->text() == text && button->isVisible()) return button;
        return nullptr;
    }
};

} // namespace tempera::test
