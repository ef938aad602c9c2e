#include "app/cli.h"
#include "app/cli_output.h"
#include "app/cli_records.h"
#include "core/base/error.h"
#include "core/store/export.h"
#include "core/store/record_json.h"

#include <memory>

namespace fs = std::filesystem;

namespace tempera::cli {

namespace {

struct ExportOptions {
    std::string run;
    fs::path target;
    bool metrics = false, samples = false, sweep = false, rows = false, rollouts = false, comparisons = false;
    std::string replies; ///< "base", "tuned", or "" where they are not asked for
    fs::path workspace;
};

int export_run(const ExportOptions& options) {
    if (options.metrics + options.samples + options.sweep + options.rows + options.rollouts
            + options.comparisons + !options.replies.empty()
        != 1)
        throw UsageError(
            "Choose one of --metrics, --samples, --sweep, --rows, --rollouts, --comparisons and --replies.");
    auto shown = find_shown_run(options.workspace, options.run);
    RunReader reader(shown.folder);
    if (options.rollouts && reader.rollout_steps().empty())
        fail(ErrorKind::not_found,
             "This run has no rollouts (only RLOO draws them): export its --metrics instead.");
    if ((options.comparisons || !options.replies.empty()) && reader.comparison_count() == 0)
        fail(ErrorKind::not_found,
             "This run compared no replies (only win-rates do): export its --metrics instead.");
    bool needs_samples = options.samples || options.sweep || options.rows;
    if (needs_samples && reader.sample_count() == 0)
        fail(ErrorKind::not_found,
             "This run has no samples (only sweeps draw them): export its --metrics instead.");
    export_file(options.target, [&](std::ostream& out) {
        if (options.metrics)
            write_metrics_csv(reader, out);
        else if (options.samples)
            write_samples_jsonl(reader, out);
        else if (options.sweep)
            write_sweep_cells_csv(reader, out);
        else if (options.rollouts)
            write_rollouts_jsonl(reader, out);
        else if (options.comparisons)
            write_comparisons_jsonl(reader, out);
        else if (!options.replies.empty())
            out << replies_to_json(reader.comparisons(), options.replies == "base" ? Side::base : Side::tuned)
                       .dump(1, ' ', false, Json::error_handler_t::replace)
                << '\n';
        else
            write_sweep_rows_csv(reader, out);
    });
    write_output("Written to " + options.target.string() + "\n");
    return exit_done;
}

} // namespace

void add_export_verb(CLI::App& app, Action& action) {
    auto options = std::make_shared<ExportOptions>();
    auto* verb = app.add_subcommand(
        "export", "Writes a run's metrics, samples, rollouts, comparisons or temperature x N "
                  "map to a file");
    verb->add_option("RUN", options->run, "Its id, the beginning of it, or a run folder")->required();
    verb->add_option("FILE", options->target, "The file to write; one that exists is replaced")->required();
    verb->add_flag("--metrics", options->metrics, "CSV, one row a step");
    verb->add_flag("--samples", options->samples, "JSON lines, one a sample, with prompt and verdict");
    verb->add_flag("--sweep", options->sweep, "CSV, one row a cell of the map, with its 95 % interval");
    verb->add_flag("--rows", options->rows, "CSV, one row a temperature: score, pass@1, format rate, length");
    verb->add_flag("--rollouts", options->rollouts,
                   "JSON lines, one a completion of training, with its rewards and advantage");
    verb->add_flag("--comparisons", options->comparisons,
                   "JSON lines, one a prompt, with both models' replies and scores");
    verb->add_option("--replies", options->replies,
                     "JSON, a list of {prompt, reply, score} of one model: base or tuned")
        ->check(CLI::IsMember({"base", "tuned"}));
    add_workspace_option(*verb, options->workspace);
    verb->callback([options, &action] { action = [options] { return export_run(*options); }; });
}

} // namespace tempera::cli
