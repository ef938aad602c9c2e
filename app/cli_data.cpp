#include "app/cli.h"
#include "app/cli_jsonl.h"
#include "app/cli_models.h"
#include "app/cli_output.h"
#include "app/cli_signals.h"
#include "core/base/counted.h"
#include "core/base/joined.h"
#include "core/data/task_rows.h"
#include "core/data/validation.h"

#include <algorithm>
#include <memory>
#include <unistd.h>

namespace fs = std::filesystem;

namespace tempera::cli {

namespace {

struct CheckOptions {
    std::string data, task, model, test, columns;
    std::int64_t max_length = 1024;
    bool json = false;
    fs::path workspace;
};

struct HeadOptions {
    std::string data;
    std::int64_t count = 5, skip = 0;
    fs::path workspace;
};

/// What lies at the path of a data field, and which of its splits is meant.
struct OpenedData {
    DataSet data;
    std::size_t split = 0;
};

OpenedData opened(const std::string& text, const std::vector<std::string>& usual) {
    return as_usage([&] {
        DataPath path = data_path_of(text);
        OpenedData result{DataSet(path.path)};
        const auto& splits = result.data.splits();
        const DataSplit& chosen = choose_split(splits, path.split, usual, path.path.string());
        result.split = static_cast<std::size_t>(&chosen - splits.data());
        return result;
    });
}

/// Where no row shows what the data is for, the reason is not its columns.
void require_readable_rows(const OpenedData& opened) {
    constexpr std::size_t looked_at = 100, told = 3;
    const auto rows = as_usage([&] { return opened.data.rows(opened.split, 0, looked_at); });
    const std::string name = opened.data.path().string();
    if (rows.empty()) throw UsageError(name + " holds no rows.");
    std::string reasons;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (rows[i].problem.empty()) return;
        if (i < told) reasons += " " + rows[i].problem;
    }
    throw UsageError("No row of " + name + " can be read"
                     + (rows.size() == looked_at ? ", of the first " + std::to_string(looked_at) : "") + ":"
                     + reasons);
}

DataTask task_of(const std::string& name, const OpenedData& opened, const std::vector<DataColumn>& columns) {
    if (!name.empty()) return as_usage([&] { return data_task_from(name); });
    auto found = DataSet::detected(columns);
    if (!found.empty()) return found.front().task;
    require_readable_rows(opened);
    throw UsageError("The columns (" + joined(columns, ", ", &DataColumn::name)
                     + ") say no use that is known: name one with --task and, where needed, --columns "
                       "prompt=COLUMN,completion=COLUMN.");
}

Json to_json(const LengthHistogram& lengths) {
    return {{"unit", lengths.unit},         {"edges", lengths.edges},   {"counts", lengths.counts},
            {"shortest", lengths.shortest}, {"median", lengths.median}, {"p95", lengths.p95},
            {"longest", lengths.longest},   {"mean", lengths.mean}};
}

Json to_json(const ValidationReport& report, const OpenedData& opened,
             const std::vector<DataColumn>& columns) {
    const DataSplit& split = opened.data.splits()[opened.split];
    Json json = {{"format", opened.data.format()},
                 {"split", split.name},
                 {"files", split.files.size()},
                 {"bytes", split.bytes},
                 {"task", name_of(report.task)},
                 {"mapping", report.mapping.column_of},
                 {"rows", report.rows},
                 {"usable", report.usable},
                 {"whole", report.whole},
                 {"notes", split.notes},
                 {"columns", Json::array()},
                 {"issues", Json::array()},
                 {"lengths", to_json(report.lengths)}};
    for (const auto& column : columns)
        json["columns"].push_back({{"name", column.name}, {"type", column.type}});
    for (const auto& issue : report.issues) {
        Json rows = Json::array();
        for (const auto& row : issue.rows)
            rows.push_back({{"source", row.source}, {"number", row.number}, {"note", row.note}});
        json["issues"].push_back({{"issue", name_of(issue.issue)}, {"count", issue.count}, {"rows", rows}});
    }
    return json;
}

void write_issue(const IssueReport& issue) {
    constexpr std::size_t shown = 5;
    write_output("  " + std::string(words_of(issue.issue)) + ": " + counted(issue.count, "row") + "\n");
    for (std::size_t i = 0; i < std::min(shown, issue.rows.size()); ++i) {
        const FlaggedRow& row = issue.rows[i];
        std::string place = row.source + " row " + std::to_string(row.number);
        std::string note =
            row.note.starts_with(place) ? row.note : place + (row.note.empty() ? "" : ": " + row.note);
        write_output("    " + one_line(note) + "\n");
    }
    if (issue.count > static_cast<std::int64_t>(shown)) write_output("    ...\n");
}

void write_text(const ValidationReport& report, const OpenedData& opened,
                const std::vector<DataColumn>& columns) {
    const DataSplit& split = opened.data.splits()[opened.split];
    write_output(opened.data.format() + ", " + counted(split.files.size(), "file") + ", "
                 + grouped(static_cast<double>(split.bytes)) + " bytes"
                 + (split.name.empty() ? "" : ", split " + split.name) + "\n");
    if (opened.data.splits().size() > 1) {
        auto name = [](const DataSplit& other) {
            return other.name.empty() ? "(without a name)" : other.name;
        };
        write_output("Splits: " + joined(opened.data.splits(), ", ", name)
                     + " (choose with #SPLIT behind the path)\n");
    }
    for (const auto& note : split.notes)
        write_output(one_line(note) + "\n");
    for (const auto& column : columns)
        write_output("  " + fitted(one_line(column.name), 20) + "  " + column.type + "\n");
    write_output(std::string("Task ") + name_of(report.task) + ": " + report.mapping.text() + "\n");
    write_output(grouped(static_cast<double>(report.rows)) + " rows read, "
                 + grouped(static_cast<double>(report.usable)) + " can be used"
                 + (report.whole ? "" : " (stopped before the end)") + "\n");
    for (const auto& issue : report.issues)
        write_issue(issue);
    const LengthHistogram& lengths = report.lengths;
    if (report.usable > 0)
        write_output("Length in " + lengths.unit + ": " + std::to_string(lengths.shortest) + " to "
                     + std::to_string(lengths.longest) + ", median " + std::to_string(lengths.median)
                     + ", 95 % up to " + std::to_string(lengths.p95) + "\n");
}

int check(const CheckOptions& options) {
    // Where a test set is given, its rows are what is checked, against those of the data.
    const std::string data = data_place(options.data, options.workspace);
    const std::string checked = options.test.empty() ? data : data_place(options.test, options.workspace);
    OpenedData first = opened(checked, {options.test.empty() ? "train" : "test"});
    auto columns = as_usage([&] { return first.data.columns(first.split); });
    ValidationOptions validation;
    validation.task = task_of(options.task, first, columns);
    if (options.task.empty() || data_path_of(checked).split.empty())
        first = opened(checked, usual_splits(validation.task, options.test.empty() ? "train" : "test"));
    validation.columns = options.columns;
    validation.max_length = options.max_length;
    if (!options.model.empty()) validation.model = model_folder(options.model, options.workspace);
    if (!options.test.empty()) validation.train = data;
    StopToken stop;
    SignalCounter signals;
    bool tells = isatty(STDERR_FILENO);
    auto progress = [&](const DataProgress& done) {
        if (SignalCounter::seen() > 0) stop.request(StopRequest::stop);
        if (tells) write_error("\r" + grouped(static_cast<double>(done.rows)) + " rows ");
    };
    auto report = as_usage([&] { return validate(first.data, first.split, validation, progress, stop); });
    if (tells) write_error("\r                    \r");
    if (options.json)
        write_output(to_json(report, first, columns).dump(2, ' ', false, Json::error_handler_t::replace)
                     + "\n");
    else
        write_text(report, first, columns);
    if (SignalCounter::seen() > 0) return 128 + SignalCounter::last();
    return report.usable > 0 ? exit_done : exit_failed;
}

int head(const HeadOptions& options) {
    OpenedData data = opened(data_place(options.data, options.workspace), {"train"});
    const auto asked = static_cast<std::size_t>(options.count);
    const auto rows = data.data.rows(data.split, options.skip, asked);
    for (const JsonRow& row : rows) {
        if (row.problem.empty())
            write_row(row.value);
        else
            write_error(one_line(row.problem) + "\n");
    }
    if (rows.size() < asked) // at the end, or at what cannot be read, which is told
        (void)data.data.rows(data.split, options.skip + static_cast<std::int64_t>(rows.size()), 1);
    return exit_done;
}

} // namespace

void add_data_verbs(CLI::App& app, Action& action) {
    auto* group = app.add_subcommand("data", "Checks and shows data sets");
    group->require_subcommand(0, 1);
    const std::string place = "A file or folder (JSON lines, JSON, CSV, Parquet), run:ID/FILE or OWNER/NAME "
                              "of the hub; #SPLIT behind "
                              "it names a split";

    auto checking = std::make_shared<CheckOptions>();
    auto* check_verb = group->add_subcommand(
        "check",
        "Reads a data set through and reports rows, types, duplicates, lengths and what cannot be used");
    check_verb->add_option("DATA", checking->data, place)->required();
    check_verb->add_option("--task", checking->task, "What it is for; detected without")
        ->check(CLI::IsMember({"sft", "preferences", "prompts", "countdown"}));
    check_verb->add_option("--columns", checking->columns,
                           "As in recipes: prompt=question,completion=answer");
    check_verb->add_option("--model", checking->model, "Whose tokens to count")->type_name("MODEL");
    check_verb->add_option("--max-length", checking->max_length, "Longest row in tokens (1024)")
        ->check(CLI::Range(1, 1 << 20));
    check_verb
        ->add_option("--test", checking->test,
                     "Test rows: these are checked, and looked for in the rows of DATA")
        ->type_name("DATA");
    check_verb->add_flag("--json", checking->json, "As JSON");
    add_workspace_option(*check_verb, checking->workspace);
    check_verb->callback([checking, &action] { action = [checking] { return check(*checking); }; });

    auto showing = std::make_shared<HeadOptions>();
    auto* head_verb = group->add_subcommand("head", "Writes the first rows as JSON lines");
    head_verb->add_option("DATA", showing->data, place)->required();
    head_verb->add_option("-n", showing->count, "How many (5)")->check(CLI::Range(1, 1000000));
    head_verb->add_option("--skip", showing->skip, "Rows to skip before")->check(CLI::NonNegativeNumber);
    add_workspace_option(*head_verb, showing->workspace);
    head_verb->callback([showing, &action] { action = [showing] { return head(*showing); }; });
}

} // namespace tempera::cli
