#include "app/application.h"

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/resources.h"
#include "core/queue/engine.h"
#include "core/queue/run_queue.h"
#include "core/recipe/catalogue.h"
#include "core/store/run_reader.h"
#include "core/store/workspace.h"
#include "ui/charts/chart_export.h"
#include "ui/charts/heat_map.h"
#include "ui/charts/score_curves.h"
#include "ui/charts/temperature_strip.h"
#include "ui/hub_access.h"
#include "ui/key_ring.h"
#include "ui/main_window.h"
#include "ui/pages/figure5_page.h"
#include "ui/run_feed.h"
#include "ui/settings_store.h"
#include "ui/theme/desktop_scheme.h"

#include <QApplication>
#include <QMessageBox>
#include <QSettings>

#include <optional>
#include <utility>

namespace tempera {

struct Application::State {
    QApplication& application;
    ApplicationOptions options;
    QSettings settings;
    DesktopScheme desktop;
    KeyRing keys{desktopSecretStore()};
    QString next_workspace; ///< opened once the window has closed
    // Destroyed in the reverse order: window, feed (its thread uses queue and workspace), queue, workspace.
    std::unique_ptr<Workspace> workspace;
    std::unique_ptr<RunQueue> queue;
    std::unique_ptr<RunFeed> feed;
    std::unique_ptr<MainWindow> window;
    QString read_only_reason;

    State(QApplication& app, ApplicationOptions wishes)
        : application(app), options(std::move(wishes)), desktop(QApplication::palette()) {}
    int show_window();
    int show_other_workspace(const QString& folder);

    std::filesystem::path first_workspace() {
        const QString remembered = SettingsStore(settings).workspace();
        if (!options.workspace.empty()) return options.workspace;
        if (remembered.isEmpty() || qEnvironmentVariableIsSet("TEMPERA_WORKSPACE"))
            return default_workspace();
        return remembered.toStdString();
    }

    void open_workspace(const std::filesystem::path& folder) {
        read_only_reason.clear();
        try {
            workspace = std::make_unique<Workspace>(folder, Workspace::Access::read_write);
            queue = std::make_unique<RunQueue>(
                *workspace, load_engine, [](const RunRecord&) {}, SettingsStore(settings).threads(),
                keys.lookup());
            queue->set_hub(hubSource(SettingsStore(settings), keys));
        } catch (const Error& error) {
            const bool busy = error.kind() == ErrorKind::busy;
            if (!busy && !(error.kind() == ErrorKind::io && std::filesystem::exists(folder / "workspace.db")))
                throw;
            workspace = std::make_unique<Workspace>(folder, Workspace::Access::read_only);
            read_only_reason =
                QString::fromStdString(error.what())
                + (busy ? QStringLiteral(" It is shown read-only here; close the other window to start runs "
                                         "from this one.")
                        : QStringLiteral(" It is shown read-only here."));
        }
    }
};

/// Runs until it closes.
int Application::State::show_window() {
    feed = std::make_unique<RunFeed>(*workspace);
    window = std::make_unique<MainWindow>(MainWindow::Parts{*feed, queue.get(), settings, shipped_recipes(),
                                                            paper_values(), read_only_reason, &keys});
    QObject::connect(window.get(), &MainWindow::workspaceRequested, window.get(),
                     [this](const QString& folder) {
                         next_workspace = folder;
                         window->close();
                     });
    feed->start();
    if (queue) queue->start();
    if (!options.run.empty()) window->startRun(load_recipe(std::exchange(options.run, {})));
    window->show();
    return QApplication::exec();
}

/// The one before stays where the other cannot be opened.
int Application::State::show_other_workspace(const QString& folder) {
    const std::filesystem::path before = workspace->folder();
    window.reset();
    feed.reset();
    queue.reset();
    workspace.reset();
    try {
        open_workspace(std::filesystem::absolute(folder.toStdString()));
        SettingsStore(settings).setWorkspace(QString::fromStdString(workspace->folder().string()));
    } catch (const std::exception& error) {
        QMessageBox::critical(nullptr, QStringLiteral("Tempera"), QString::fromUtf8(error.what()));
        open_workspace(before);
    }
    return show_window();
}

Application::Application(QApplication& application, ApplicationOptions options)
    : state_(std::make_unique<State>(application, std::move(options))) {}

Application::~Application() {
    // Members die in the reverse order of their declaration: window, feed, queue, workspace.
}

int Application::run() {
    State& s = *state_;
    applyTheme(s.application, s.desktop.scheme());
    QObject::connect(&s.desktop, &DesktopScheme::changed, &s.application,
                     [&s](Scheme scheme) { applyTheme(s.application, scheme); });
    s.open_workspace(s.first_workspace());
    int code = s.show_window();
    while (!s.next_workspace.isEmpty())
        code = s.show_other_workspace(std::exchange(s.next_workspace, {}));
    return code;
}

void export_newest_sweep(const std::filesystem::path& workspace_folder, const std::filesystem::path& folder) {
    const Workspace workspace(workspace_folder.empty() ? default_workspace() : workspace_folder,
                              Workspace::Access::read_only);
    std::optional<RunRecord> newest;
    auto data = std::make_shared<RunData>();
    for (const RunRecord& run : workspace.runs()) {
        if (run.kind != "sweep" || (newest && newest->created_ms > run.created_ms)) continue;
        const RunReader reader(workspace.run_folder(run.id));
        auto cells = reader.sweep_cells();
        if (cells.empty()) continue;
        newest = run;
        data->run_id = run.id;
        data->cells = std::move(cells);
        data->rows = reader.sweep_rows();
    }
    if (!newest)
        fail(ErrorKind::not_found, "There is no sweep with scored cells in " + workspace.folder().string()
                                       + " to export: run one first, e.g. tempera-cli run figure-5.");
    make_folders(folder);
    Figure5Page page;
    page.setPaperValues(paper_values());
    page.setData(data);
    const auto write = [&](Chart& chart, const char* name, const ExportSize& size) {
        for (const char* ending : {".png", ".pdf", ".svg", ".csv"}) {
            const QString file = QString::fromStdString((folder / (std::string(name) + ending)).string());
            if (const QString problem = exportChart(chart, file, size); !problem.isEmpty())
                fail(ErrorKind::io, problem.toStdString());
        }
    };
    write(*page.curves(), "figure-5-curves", {160, 100});
    write(*page.heatMap(), "figure-5-map", {160, 100});
    write(*page.strip(), "figure-5-single-samples", {160, 40});
}

} // namespace tempera
