#include "app/application.h"

#include "core/base/error.h"
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
#include "ui/main_window.h"
#include "ui/pages/figure5_page.h"
#include "ui/run_feed.h"
#include "ui/theme/desktop_scheme.h"

#include <QApplication>
#include <QSettings>

#include <optional>

namespace tempera {

struct Application::State {
    QApplication& application;
    ApplicationOptions options;
    QSettings settings;
    DesktopScheme desktop;
    // Destroyed in the reverse order: window, feed (its thread uses queue and workspace), queue, workspace.
    std::unique_ptr<Workspace> workspace;
    std::unique_ptr<RunQueue> queue;
    std::unique_ptr<RunFeed> feed;
    std::unique_ptr<MainWindow> window;
    QString read_only_reason;

    State(QApplication& app, ApplicationOptions wishes)
        : application(app), options(std::move(wishes)), desktop(QApplication::palette()) {}

    void open_workspace() {
        const auto folder = options.workspace.empty() ? default_workspace() : options.workspace;
        try {
            workspace = std::make_unique<Workspace>(folder, Workspace::Access::read_write);
            queue = std::make_unique<RunQueue>(*workspace, load_engine, [](const RunRecord&) {});
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
    s.open_workspace();
    s.feed = std::make_unique<RunFeed>(*s.workspace);
    s.window = std::make_unique<MainWindow>(MainWindow::Parts{
        *s.feed, s.queue.get(), s.settings, shipped_recipes(), paper_values(), s.read_only_reason});
    s.feed->start();
    if (s.queue) s.queue->start();
    if (!s.options.run.empty()) s.window->startRun(load_recipe(s.options.run));
    s.window->show();
    return QApplication::exec();
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
    std::filesystem::create_directories(folder);
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
