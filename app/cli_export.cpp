#include "app/cli.h"
#include "app/cli_output.h"
#include "app/cli_records.h"
#include "core/base/error.h"
#include "core/store/answer_sets.h"
#include "core/store/export.h"
#include "core/store/record_json.h"

#include <algorithm>
#include <memory>

namespace fs = std::filesystem;

namespace tempera::cli {

namespace {

struct ExportOptions {
    std::string run;
    fs::path target;
    bool metrics = false, samples = false, sweep = false, rows = false, rollouts = false, comparisons = false,
         preferences = false, best_of_n = false;
    std::string replies; ///< "base", "tuned", or "" where they are not asked for
    std::string format;  ///< "" = what is usual for what is exported, or as the file's name ends
    std::optional<double> temperature, min_score;
    int n = 0;
    fs::path workspace;
};

void require_one_choice(const ExportOptions& options) {
    if (options.metrics + options.samples + options.sweep + options.rows + options.rollouts
            + options.comparisons + options.preferences + options.best_of_n + !options.replies.empty()
        != 1)
        throw UsageError("Choose one of --metrics, --samples, --sweep, --rows, --rollouts, --comparisons, "
                         "--replies, --preferences and --best-of-n.");
    const bool answers = options.samples || options.preferences || options.best_of_n;
    if (!answers && (options.temperature || options.n > 0))
        throw UsageError("--temperature and --n choose among answers: they go with --samples, --preferences "
                         "and --best-of-n.");
    if (options.min_score && !options.best_of_n) throw UsageError("--min-score goes with --best-of-n.");
}

/// A temperature that was not drawn at would leave an empty file.
void require_temperature(const ExportOptions& options, const RunReader& reader) {
    if (!options.temperature) return;
    std::string list;
    for (double drawn : reader.sampled_temperatures()) {
        if (drawn == *options.temperature) return;
        list += (list.empty() ? "" : ", ") + number_words(drawn);
    }
    throw UsageError("This run has no samples at temperature " + number_words(*options.temperature)
                     + (list.empty() ? "." : "; it has them at: " + list + "."));
}

void require_content(const ExportOptions& options, const RunReader& reader) {
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
    require_temperature(options, reader);
}

/// Among those that what is exported can be written as; the first is the usual one.
std::string format_of(const ExportOptions& options, const std::vector<std::string>& known) {
    std::string wanted = options.format;
    const std::string name = options.target.filename().string();
    if (wanted.empty() && name.find("tfevents") != std::string::npos) wanted = "tensorboard";
    if (wanted.empty())
        if (auto table = table_format_of(options.target))
            wanted = *table == TableFormat::csv       ? "csv"
                     : *table == TableFormat::parquet ? "parquet"
                                                      : "jsonl";
    bool fits = std::find(known.begin(), known.end(), wanted) != known.end();
    if (!fits && !options.format.empty()) {
        std::string list;
        for (const auto& format : known)
            list += (list.empty() ? "" : ", ") + format;
        throw UsageError("This cannot be written as " + wanted + "; choose of: " + list + ".");
    }
    return fits ? wanted : known.front();
}

TableFormat table_format(const std::string& name) {
    return name == "csv" ? TableFormat::csv : name == "parquet" ? TableFormat::parquet : TableFormat::jsonl;
}

/// Preference pairs or best answers, whose columns the first one shows.
void write_answer_set(const ExportOptions& options, const ShownRun& shown, const RunReader& reader,
                      std::ostream& out) {
    const AnswerSetOptions which{options.temperature, options.n, options.min_score};
    auto produce = [&](const ReceiveRow& receive) {
        return options.preferences ? for_each_preference(shown.folder, reader, which, receive)
                                   : for_each_best(shown.folder, reader, which, receive);
    };
    std::optional<ParquetType> columns;
    produce([&](const Json& row) {
        if (!columns) columns = columns_like(row);
    });
    if (!columns)
        fail(ErrorKind::not_found,
             options.preferences
                 ? "This run has no prompt with two answers of different scores, so it makes no preferences."
             : options.min_score ? "No best answer of this run scores " + number_words(*options.min_score)
                                       + " or more: choose a lower --min-score."
                                 : "This run has no answers with scores.");
    write_table(out, table_format(format_of(options, {"jsonl", "parquet", "csv"})), *columns, produce);
}

void write_samples(const ExportOptions& options, const RunReader& reader, std::ostream& out) {
    write_table(out, table_format(format_of(options, {"jsonl", "parquet", "csv"})), sample_columns(),
                [&](const auto& receive) {
                    for_each_sample_row(reader, options.temperature, [&](const Json& row) {
                        if (options.n == 0 || row["sample_index"] < options.n) receive(row);
                    });
                });
}

/// The file to write. TensorBoard is pointed at folders and reads in them only what is named as an event
/// file: any other name is that of the folder, which is then made.
fs::path prepared_target(const ExportOptions& options, const ShownRun& shown) {
    const bool events = options.metrics && format_of(options, {"csv", "tensorboard"}) == "tensorboard";
    if (!events || options.target.filename().string().find("tfevents") != std::string::npos)
        return options.target;
    std::error_code ignored; // creating the file then says what is wrong
    fs::create_directories(options.target, ignored);
    return options.target
           / ("events.out.tfevents." + std::to_string(shown.record.started_ms / 1000) + "."
              + shown.record.id);
}

void write_metrics(const ExportOptions& options, const ShownRun& shown, const RunReader& reader,
                   std::ostream& out) {
    if (format_of(options, {"csv", "tensorboard"}) == "csv") return write_metrics_csv(reader, out);
    write_metrics_events(reader, out, static_cast<double>(shown.record.started_ms) / 1000);
}

int export_run(const ExportOptions& options) {
    require_one_choice(options);
    auto shown = find_shown_run(options.workspace, options.run);
    RunReader reader(shown.folder);
    require_content(options, reader);
    const fs::path target = prepared_target(options, shown);
    export_file(target, [&](std::ostream& out) {
        if (options.metrics)
            write_metrics(options, shown, reader, out);
        else if (options.samples)
            write_samples(options, reader, out);
        else if (options.preferences || options.best_of_n)
            write_answer_set(options, shown, reader, out);
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
    write_output("Written to " + target.string() + "\n");
    return exit_done;
}

} // namespace

void add_export_verb(CLI::App& app, Action& action) {
    auto options = std::make_shared<ExportOptions>();
    auto* verb = app.add_subcommand(
        "export", "Writes a run's metrics, samples, rollouts, comparisons, temperature x N map, or the data "
                  "sets its answers make, to a file");
    verb->add_option("RUN", options->run, "Its id, the beginning of it, or a run folder")->required();
    verb->add_option("FILE", options->target,
                     "The file to write; one that exists is replaced (TensorBoard: a file or its folder)")
        ->required();
    verb->add_flag("--metrics", options->metrics, "CSV, one row a step; or TensorBoard events");
    verb->add_flag("--samples", options->samples, "One row a sample, with prompt and verdict");
    verb->add_flag("--sweep", options->sweep, "CSV, one row a cell of the map, with its 95 % interval");
    verb->add_flag("--rows", options->rows, "CSV, one row a temperature: score, pass@1, format rate, length");
    verb->add_flag("--rollouts", options->rollouts,
                   "JSON lines, one a completion of training, with its rewards and advantage");
    verb->add_flag("--comparisons", options->comparisons,
                   "JSON lines, one a prompt, with both models' replies and scores");
    verb->add_option("--replies", options->replies,
                     "JSON, a list of {prompt, reply, score} of one model: base or tuned")
        ->check(CLI::IsMember({"base", "tuned"}));
    verb->add_flag(
        "--preferences", options->preferences,
        "Data for DPO in TRL's form: prompt, chosen and rejected are the best and the worst answer");
    verb->add_flag("--best-of-n", options->best_of_n,
                   "Data for SFT in TRL's form: prompt and completion, the best answer");
    verb->add_option("--format", options->format,
                     "csv, jsonl, parquet or tensorboard; without it as the file's name ends")
        ->check(CLI::IsMember({"csv", "jsonl", "parquet", "tensorboard"}));
    verb->add_option("--temperature", options->temperature, "Only samples drawn at this one");
    verb->add_option("--n", options->n, "Only the first N answers to every prompt")
        ->check(CLI::Range(1, 1 << 20));
    verb->add_option("--min-score", options->min_score, "Of --best-of-n only the answers that score so much");
    add_workspace_option(*verb, options->workspace);
    verb->callback([options, &action] { action = [options] { return export_run(*options); }; });
}

} // namespace tempera::cli
