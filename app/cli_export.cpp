#include "app/cli.h"
#include "app/cli_output.h"
#include "app/cli_records.h"
#include "app/cli_signals.h"
#include "core/base/error.h"
#include "core/base/joined.h"
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
    std::string format;  ///< "" = as the file's name ends, or what is usual for what is exported
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
    const auto drawn = reader.sampled_temperatures();
    if (std::find(drawn.begin(), drawn.end(), *options.temperature) != drawn.end()) return;
    auto words = [](double temperature) { return number_words(temperature); };
    throw UsageError("This run has no samples at temperature " + number_words(*options.temperature)
                     + (drawn.empty() ? "." : "; it has them at: " + joined(drawn, ", ", words) + "."));
}

void require_content(const ExportOptions& options, const RunReader& reader) {
    const bool samples = reader.sample_count() > 0, metrics = !reader.metric_names().empty();
    const std::string instead = metrics ? ": export its --metrics instead." : ".";
    if (options.metrics && !metrics)
        fail(ErrorKind::not_found,
             "This run has no metrics" + std::string(samples ? ": export its --samples instead." : "."));
    if (options.rollouts && reader.rollout_steps().empty())
        fail(ErrorKind::not_found, "This run has no rollouts (only RLOO draws them)" + instead);
    if ((options.comparisons || !options.replies.empty()) && reader.comparison_count() == 0)
        fail(ErrorKind::not_found, "This run compared no replies (only win-rates do)" + instead);
    if ((options.samples || options.sweep || options.rows) && !samples)
        fail(ErrorKind::not_found, "This run has no samples (only sweeps and pairs draw them)" + instead);
    require_temperature(options, reader);
}

/// What that which is exported can be written as; the first is the usual one.
std::vector<std::string> formats_of(const ExportOptions& options) {
    if (options.metrics) return {"csv", "tensorboard"};
    if (options.sweep || options.rows) return {"csv"};
    if (options.rollouts || options.comparisons) return {"jsonl"};
    if (!options.replies.empty()) return {"json"};
    return {"jsonl", "parquet", "csv"};
}

/// What the end of the file's name asks for; "" where it has none.
std::string format_of_name(const fs::path& target, const std::vector<std::string>& known) {
    if (target.filename().string().find("tfevents") != std::string::npos) return "tensorboard";
    if (!target.has_extension()) return "";
    const auto table = table_format_of(target);
    if (!table) return "*" + target.extension().string();
    if (*table == TableFormat::csv) return "csv";
    if (*table == TableFormat::parquet) return "parquet";
    return known.front() == "json" ? "json" : "jsonl";
}

/// Throws UsageError where what is asked for, or what the file's name says, is none of the formats.
std::string format_of(const ExportOptions& options) {
    const auto known = formats_of(options);
    const std::string wanted =
        options.format.empty() ? format_of_name(options.target, known) : options.format;
    if (wanted.empty()) return known.front();
    if (std::find(known.begin(), known.end(), wanted) != known.end()) return wanted;
    throw UsageError("This cannot be written as " + wanted + "; choose of: " + joined(known)
                     + (options.format.empty() ? ", by the end of the file's name or with --format." : "."));
}

TableFormat table_format(const std::string& name) {
    return name == "csv" ? TableFormat::csv : name == "parquet" ? TableFormat::parquet : TableFormat::jsonl;
}

/// What is exported, and how.
struct Exporting {
    const ExportOptions& options;
    const ShownRun& shown;
    const RunReader& reader;
    const std::string format;
    const StopToken& stop;

    /// Rows that are read, but not written yet, end with a stop too.
    ReceiveRow until_stopped(ReceiveRow receive) const {
        return [this, receive = std::move(receive)](const Json& row) {
            if (stop) fail(ErrorKind::stopped, "Stopped; nothing was written.");
            receive(row);
        };
    }
};

/// Preference pairs or best answers, whose columns the first one shows.
void write_answer_set(const Exporting& part, std::ostream& out) {
    const ExportOptions& options = part.options;
    const AnswerSetOptions which{options.temperature, options.n, options.min_score};
    auto produce = [&](const ReceiveRow& receive) {
        const auto each = part.until_stopped(receive);
        return options.preferences ? for_each_preference(part.shown.folder, part.reader, which, each)
                                   : for_each_best(part.shown.folder, part.reader, which, each);
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
    write_table(out, table_format(part.format), *columns, produce);
}

void write_samples(const Exporting& part, std::ostream& out) {
    write_table(out, table_format(part.format), sample_columns(), [&](const auto& receive) {
        for_each_sample_row(part.reader, part.options.temperature, part.until_stopped([&](const Json& row) {
            if (part.options.n == 0 || row["sample_index"] < part.options.n) receive(row);
        }));
    });
}

/// The file to write. TensorBoard is pointed at folders and reads in them only what is named as an event
/// file: any other name is that of the folder, which is then made.
fs::path prepared_target(const Exporting& part) {
    const fs::path& target = part.options.target;
    if (part.format != "tensorboard" || target.filename().string().find("tfevents") != std::string::npos)
        return target;
    std::error_code ignored; // creating the file then says what is wrong
    fs::create_directories(target, ignored);
    return target
           / ("events.out.tfevents." + std::to_string(part.shown.record.started_ms / 1000) + "."
              + part.shown.record.id);
}

void write_content(const Exporting& part, std::ostream& out) {
    const ExportOptions& options = part.options;
    if (options.metrics && part.format == "csv")
        write_metrics_csv(part.reader, out);
    else if (options.metrics)
        write_metrics_events(part.reader, out, static_cast<double>(part.shown.record.started_ms) / 1000);
    else if (options.samples)
        write_samples(part, out);
    else if (options.preferences || options.best_of_n)
        write_answer_set(part, out);
    else if (options.sweep)
        write_sweep_cells_csv(part.reader, out);
    else if (options.rollouts)
        write_rollouts_jsonl(part.reader, out);
    else if (options.comparisons)
        write_comparisons_jsonl(part.reader, out);
    else if (options.rows)
        write_sweep_rows_csv(part.reader, out);
    else
        out << replies_to_json(part.reader.comparisons(),
                               options.replies == "base" ? Side::base : Side::tuned)
                   .dump(1, ' ', false, Json::error_handler_t::replace)
            << '\n';
}

int export_run(const ExportOptions& options, const StopToken& stop) {
    require_one_choice(options);
    const std::string format = format_of(options);
    auto shown = find_shown_run(options.workspace, options.run);
    RunReader reader(shown.folder);
    require_content(options, reader);
    const Exporting part{options, shown, reader, format, stop};
    const fs::path target = prepared_target(part);
    export_file(
        target, [&](std::ostream& out) { write_content(part, out); }, stop);
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
                     "csv, json, jsonl, parquet or tensorboard; without it as the file's name ends")
        ->check(CLI::IsMember({"csv", "json", "jsonl", "parquet", "tensorboard"}));
    verb->add_option("--temperature", options->temperature, "Only samples drawn at this one");
    verb->add_option("--n", options->n, "Only the first N answers to every prompt")
        ->check(CLI::Range(1, 1 << 20));
    verb->add_option("--min-score", options->min_score, "Of --best-of-n only the answers that score so much");
    add_workspace_option(*verb, options->workspace);
    verb->callback([options, &action] {
        action = [options] {
            return until_signalled([&](const StopToken& stop) { return export_run(*options, stop); });
        };
    });
}

} // namespace tempera::cli
