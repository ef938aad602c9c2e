#include "app/cli_show.h"

#include "app/cli.h"
#include "app/cli_comparison.h"
#include "app/cli_jsonl.h"
#include "app/cli_output.h"
#include "app/cli_progress.h"
#include "app/cli_records.h"
#include "app/cli_study.h"
#include "app/cli_table.h"
#include "core/base/clock.h"
#include "core/base/error.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <unistd.h>

namespace fs = std::filesystem;

namespace tempera::cli {

namespace {

/// Step -> metric name -> value.
using Steps = std::map<std::int64_t, std::map<std::string, double>>;

Steps steps_of(const RunReader& reader) {
    Steps steps;
    for (const auto& name : reader.metric_names())
        for (const auto& point : reader.metric(name))
            steps[point.step][name] = point.value;
    return steps;
}

int show_metrics(const RunReader& reader, bool json) {
    auto steps = steps_of(reader);
    auto names = reader.metric_names();
    std::vector<std::vector<std::string>> table = {{"step"}};
    table[0].insert(table[0].end(), names.begin(), names.end());
    for (const auto& [step, values] : steps) {
        Json line = {{"step", step}};
        std::vector<std::string> cells = {std::to_string(step)};
        for (const auto& name : names) {
            auto value = values.find(name);
            cells.push_back(value == values.end() ? "" : number_words(value->second));
            if (value != values.end()) line[name] = value->second;
        }
        if (json)
            write_row(line);
        else
            table.push_back(cells);
    }
    if (!json) write_output(steps.empty() ? "No metrics were recorded yet.\n" : text_table(table, 0));
    return exit_done;
}

int show_events(const RunReader& reader, bool json) {
    for (const auto& event : reader.events()) {
        if (json) {
            write_row({{"time_ms", event.time_ms},
                       {"step", event.step},
                       {"kind", event.kind},
                       {"message", event.message}});
            continue;
        }
        std::string place = event.step >= 0 ? "step " + std::to_string(event.step) : "";
        write_output(local_time(event.time_ms) + "  " + fitted(event.kind, 10) + "  " + fitted(place, 10)
                     + "  " + one_line(event.message) + "\n");
    }
    return exit_done;
}

/// "    " before every line.
std::string indented(const std::string& text) {
    std::string result = "    ";
    for (char c : text) {
        bool control = static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t';
        result += control ? ' ' : c;
        if (c == '\n') result += "    ";
    }
    return result + "\n";
}

void write_sample(const Sample& sample) {
    std::string head = "  sample " + std::to_string(sample.sample_index) + ": score "
                       + number_words(sample.score) + ", " + std::to_string(sample.token_ids.size())
                       + " tokens, " + sample.finish + ". " + sample.reason;
    write_output(one_line(head) + "\n" + indented(sample.text));
}

int show_samples(const RunReader& reader, const ShowOptions& options) {
    auto temperatures = reader.sampled_temperatures();
    auto prompts = reader.prompts();
    if (options.problem && std::none_of(prompts.begin(), prompts.end(), [&](const auto& p) {
            return p.index == *options.problem;
        }))
        throw UsageError("The run has no problem " + std::to_string(*options.problem) + ": it has "
                         + std::to_string(prompts.size()) + ", from 0.");
    bool any = false;
    for (double temperature : temperatures) {
        if (options.temperature && std::abs(temperature - *options.temperature) > 1e-9) continue;
        for (const auto& prompt : prompts) {
            if (options.problem && prompt.index != *options.problem) continue;
            auto samples = reader.samples(temperature, prompt.index);
            if (!samples.empty() && !options.json)
                write_output("T = " + number_words(temperature) + ", problem " + std::to_string(prompt.index)
                             + " " + one_line(prompt.facts) + "\n");
            for (const auto& sample : samples) {
                any = true;
                if (options.json)
                    write_row(to_json(sample));
                else
                    write_sample(sample);
            }
        }
    }
    if (!any && !options.json) write_output("No such samples were drawn yet.\n");
    return exit_done;
}

Json last_metrics(const RunReader& reader) {
    Json last = Json::object();
    for (const auto& name : reader.metric_names()) {
        auto points = reader.metric(name);
        if (!points.empty()) last[name] = {{"step", points.back().step}, {"value", points.back().value}};
    }
    return last;
}

int show_as_json(const ShownRun& shown, const RunReader& reader) {
    Json json = to_json(shown.record, shown.folder);
    json["metrics"] = last_metrics(reader);
    Json checkpoints = Json::array();
    for (const auto& checkpoint : reader.checkpoints()) {
        checkpoints.push_back(
            {{"step", checkpoint.step}, {"folder", checkpoint.folder}, {"best", checkpoint.best}});
        if (checkpoint.eval_loss) checkpoints.back()["eval_loss"] = *checkpoint.eval_loss;
    }
    json["checkpoints"] = checkpoints;
    if (shown.record.kind == "win_rate") json["comparison"] = to_json(compared(reader.comparisons()));
    if (shown.record.kind == "sweep") json["sweep"] = sweep_to_json(reader, json["recipe"]);
    write_output(json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
    return exit_done;
}

void write_head(const ShownRun& shown) {
    const RunRecord& record = shown.record;
    std::string place = record.study.empty() ? "" : ", stage " + record.stage + " of " + record.study;
    write_output(
        one_line(record.id + "  " + name_of(record.status) + "  " + record.kind + "  " + record.name + place)
        + "\n");
    if (record.started_ms > 0) {
        auto taken = time_taken(record);
        write_output("started " + local_time(record.started_ms) + (taken.empty() ? "" : ", took " + taken)
                     + "\n");
    }
    write_output("folder  " + shown.folder.string() + "\n");
    if (record.status == RunStatus::running || record.status == RunStatus::stopping)
        write_output("now     " + progress_words(record.progress) + "\n");
    if (!record.error.empty()) write_output("error   " + one_line(record.error) + "\n");
    if (auto words = headline_words(record); !words.empty()) write_output("result  " + words + "\n");
}

int show_overview(const ShownRun& shown, const RunReader& reader) {
    write_head(shown);
    if (shown.record.kind == "sweep") {
        Json recipe = Json::parse(shown.record.recipe, nullptr, false);
        write_output("\n"
                     + sweep_table(reader.sweep_cells(), reader.sweep_rows(), recipe,
                                   terminal_columns(STDOUT_FILENO)));
        return exit_done;
    }
    if (shown.record.kind == "win_rate") {
        write_output("\n" + comparison_table(reader.comparisons(), terminal_columns(STDOUT_FILENO)));
        return exit_done;
    }
    std::vector<std::vector<std::string>> table = {{"last metric", "value", "step"}};
    Json last = last_metrics(reader);
    for (const auto& [name, point] : last.items())
        table.push_back({name, number_words(point["value"].get<double>()),
                         std::to_string(point["step"].get<std::int64_t>())});
    if (table.size() > 1) write_output("\n" + text_table(table));
    return exit_done;
}

/// Whether `options.run` is a study of the workspace, which is then shown.
bool shows_a_study(const fs::path& given, const ShowOptions& options) {
    const fs::path folder = workspace_or_default(given);
    if (options.metrics || options.samples || options.events || !fs::exists(folder / "workspace.db"))
        return false;
    const Workspace workspace(folder, Workspace::Access::read_only);
    const auto study = find_study(workspace, options.run);
    if (!study) return false;
    if (options.json)
        write_output(study_to_json(workspace, *study).dump(2, ' ', false, Json::error_handler_t::replace)
                     + "\n");
    else
        write_output(one_line(study->id + "  " + study->name) + "\n\n" + study_table(workspace, *study));
    return true;
}

} // namespace

int show_run(const fs::path& workspace, const ShowOptions& options) {
    if (options.metrics + options.samples + options.events > 1)
        throw UsageError("Choose one of --metrics, --samples and --events.");
    if (shows_a_study(workspace, options)) return exit_done;
    ShownRun shown = find_shown_run(workspace, options.run);
    RunReader reader(shown.folder);
    if (options.metrics) return show_metrics(reader, options.json);
    if (options.samples) return show_samples(reader, options);
    if (options.events) return show_events(reader, options.json);
    return options.json ? show_as_json(shown, reader) : show_overview(shown, reader);
}

} // namespace tempera::cli
