#include "app/cli.h"
#include "app/cli_output.h"
#include "app/cli_signals.h"
#include "core/base/counted.h"
#include "core/base/json.h"
#include "core/store/run_import.h"

#include <memory>

namespace fs = std::filesystem;

namespace tempera::cli {

namespace {

struct ImportOptions {
    std::string from;
    fs::path path, workspace;
    std::string name;
    bool json = false;
};

int import_runs(const ImportOptions& options, const StopToken& stop) {
    std::error_code ignored;
    if (!fs::exists(options.path, ignored))
        throw UsageError("There is no file or folder " + options.path.string() + ".");
    Workspace workspace(workspace_or_default(options.workspace), Workspace::Access::read_write);
    std::vector<ImportReport> reports;
    if (options.from == "tensorboard")
        reports = import_tensorboard(workspace, options.path, options.name, stop);
    else
        reports.push_back(import_completions(workspace, options.path, options.name, stop));
    Json list = Json::array();
    for (const auto& report : reports) {
        list.push_back({{"id", report.run.id},
                        {"name", report.run.name},
                        {"metrics", report.metrics},
                        {"points", report.points},
                        {"completions", report.completions},
                        {"notes", report.notes}});
        if (options.json) continue;
        std::string what = counted(report.metrics, "metric") + ", " + counted(report.points, "value");
        if (report.completions > 0) what += ", " + counted(report.completions, "completion");
        write_output("Imported " + report.run.name + " as run " + report.run.id + ": " + what + "\n");
        for (const auto& note : report.notes)
            write_output("  " + one_line(note) + "\n");
    }
    if (options.json) write_output(list.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
    return exit_done;
}

} // namespace

void add_import_verb(CLI::App& app, Action& action) {
    auto options = std::make_shared<ImportOptions>();
    auto* verb = app.add_subcommand(
        "import", "Takes what another program measured into the workspace, as a finished run");
    verb->add_option("FROM", options->from,
                     "tensorboard: event files; trl: the completions that TRL logs (completions_*.parquet)")
        ->required()
        ->check(CLI::IsMember({"tensorboard", "trl"}));
    verb->add_option("PATH", options->path, "A file, or a folder with such files")->required();
    verb->add_option("--name", options->name, "What the run is called; the folder's name without it");
    verb->add_flag("--json", options->json, "As JSON");
    add_workspace_option(*verb, options->workspace);
    verb->callback([options, &action] {
        action = [options] {
            return until_signalled([&](const StopToken& stop) { return import_runs(*options, stop); });
        };
    });
}

} // namespace tempera::cli
