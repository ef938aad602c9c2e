#include "core/store/run_import.h"

#include "core/base/counted.h"
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/data/columns.h"
#include "core/data/conversation.h"
#include "core/data/data_files.h"
#include "core/store/event_file.h"
#include "core/store/run_folder.h"
#include "core/store/run_writer.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <map>

namespace fs = std::filesystem;

namespace tempera {

namespace {

std::string name_of_folder(const fs::path& path) {
    fs::path whole = fs::absolute(path / "").lexically_normal().parent_path();
    return whole.filename().string();
}

void check_stop(const StopToken& stop) {
    if (stop) fail(ErrorKind::stopped, "Stopped; nothing was kept of the import.");
}

/// Makes a run, lets `fill` write what it holds, and finishes it; removes it where that throws.
void make_finished_run(Workspace& workspace, ImportReport& report, const std::string& name,
                       const std::string& source, const fs::path& path,
                       const std::function<void(RunWriter&)>& fill) {
    RunRecord& run = report.run;
    run.kind = imported_kind;
    run.name = name;
    run.recipe = to_json_line({{"kind", imported_kind},
                               {"name", name},
                               {"source", source},
                               {"path", fs::absolute(path).lexically_normal().string()}});
    run.status = RunStatus::running; // a killed import is then shown as interrupted
    run.started_ms = run.ended_ms = unix_time_ms();
    run = workspace.add_run(run);
    try {
        RunWriter writer(workspace.run_folder(run.id));
        fill(writer);
        writer.on_event({0, run.ended_ms, -1, "finished", "Imported from " + path.string() + "."});
        for (const auto& note : report.notes)
            writer.on_event({0, run.ended_ms, -1, "warning", note});
        for (const auto& [headline, value] : run.headline)
            writer.on_headline(headline, value);
        writer.flush();
        run.status = RunStatus::finished;
        workspace.update_state(run);
    } catch (...) {
        RunRecord failed = run;
        failed.status = RunStatus::failed;
        workspace.update_state(failed);
        workspace.remove_run(run.id);
        throw;
    }
}

/// What the event files of one folder hold, by step and tag; of a step that was written again (a resumed
/// run) the newest value counts.
struct Series {
    std::map<std::int64_t, std::map<std::string, double>> steps;
    std::map<std::string, std::string> name_of; ///< tag -> metric
    double first_time = INFINITY, last_time = -INFINITY;
};

/// Gives every tag its metric's name. Where that is another tag too ("train/loss" beside "loss"), or two tags
/// would get it, a tag is its own name.
void name_metrics(Series& series, ImportReport& report) {
    std::map<std::string, int> wanted;
    for (const auto& [tag, name] : series.name_of)
        ++wanted[metric_of_tag(tag)];
    for (auto& [tag, name] : series.name_of) {
        name = metric_of_tag(tag);
        if (name == tag || (wanted[name] == 1 && !series.name_of.contains(name))) continue;
        report.notes.push_back("The tag " + tag + " keeps its name: " + name
                               + " is that of another one too.");
        name = tag;
    }
}

Series read_series(const std::vector<fs::path>& files, ImportReport& report, const StopToken& stop) {
    Series series;
    std::int64_t before_zero = 0;
    for (const auto& file : files) {
        bool cut = read_event_file(file, [&](const EventScalar& scalar) {
            check_stop(stop);
            if (scalar.step < 0) {
                ++before_zero;
                return;
            }
            series.name_of[scalar.tag];
            series.steps[scalar.step][scalar.tag] = scalar.value;
            series.first_time = std::min(series.first_time, scalar.wall_time);
            series.last_time = std::max(series.last_time, scalar.wall_time);
        });
        if (cut)
            report.notes.push_back(file.filename().string() + " ends within a record, which is left out.");
    }
    if (before_zero > 0)
        report.notes.push_back(counted(before_zero, "value") + " of steps below 0 "
                               + (before_zero == 1 ? "is" : "are") + " left out.");
    name_metrics(series, report);
    report.metrics = static_cast<std::int64_t>(series.name_of.size());
    for (const auto& [step, values] : series.steps)
        report.points += static_cast<std::int64_t>(values.size());
    return series;
}

std::int64_t in_ms(double seconds, std::int64_t otherwise) {
    return seconds > 0 && seconds < 1e11 ? static_cast<std::int64_t>(seconds * 1000) : otherwise;
}

ImportReport import_events(Workspace& workspace, const fs::path& path, const std::vector<fs::path>& files,
                           const std::string& name, const StopToken& stop) {
    ImportReport report;
    Series series = read_series(files, report, stop);
    if (report.points == 0) fail(ErrorKind::bad_input, path.string() + " holds no scalars to import.");
    make_finished_run(workspace, report, name, "tensorboard", path, [&](RunWriter& writer) {
        for (const auto& [step, values] : series.steps) {
            check_stop(stop);
            std::vector<Metric> metrics;
            for (const auto& [tag, value] : values) {
                metrics.push_back({series.name_of.at(tag), value});
                for (const char* shown : {"loss", "eval_loss", "reward"})
                    if (metrics.back().name == shown) report.run.headline[shown] = value;
            }
            writer.on_metrics(step, metrics);
        }
        report.run.started_ms = in_ms(series.first_time, report.run.started_ms);
        report.run.ended_ms = in_ms(series.last_time, report.run.ended_ms);
    });
    return report;
}

/// A text, or of turns the last one's.
std::string text_of(const JsonRow& row, const char* column) {
    auto found = row.value.find(column);
    if (found != row.value.end() && found->is_array()) {
        auto turns = messages_in(row, column);
        return turns.empty() ? "" : turns.back().content;
    }
    return row.text({column}, true);
}

std::int64_t step_of(const JsonRow& row) {
    auto found = row.value.find("step");
    if (found == row.value.end() || found->is_null()) return 0;
    if (found->is_number_integer() && found->get<std::int64_t>() >= 0) return found->get<std::int64_t>();
    if (found->is_string()) { // as older versions of TRL write it, and CSV
        const auto& text = found->get_ref<const std::string&>();
        char* end = nullptr;
        long long step = std::strtoll(text.c_str(), &end, 10);
        if (end != text.c_str() && *end == '\0' && step >= 0) return step;
    }
    throw RowError(RowFault::wrong_type,
                   row.place() + ", column \"step\": a whole number from 0 on is expected.");
}

/// One step's completions, grouped by prompt.
struct StepRollouts {
    std::vector<RolloutGroup> groups;
    std::map<std::string, std::size_t> group_of;
};

/// What the rewards that apply come to; NaN where none does or one is infinite: a completion without a score,
/// which is not one that scores 0.
double total_of(const std::map<std::string, double>& rewards) {
    double total = 0;
    bool scored = false;
    for (const auto& [name, value] : rewards) {
        if (std::isnan(value)) continue;
        total += value;
        scored = true;
    }
    return scored && std::isfinite(total) ? total : NAN;
}

/// CSV has text alone: what reads as a number is one.
void read_numbers(JsonRow& row) {
    for (auto& [column, value] : row.value.items()) {
        if (column == "prompt" || column == "completion" || !value.is_string()) continue;
        const auto& text = value.get_ref<const std::string&>();
        double number = 0;
        const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
        if (!text.empty() && read.ec == std::errc() && read.ptr == text.data() + text.size()) value = number;
    }
}

void add_completion(StepRollouts& rollouts, const JsonRow& row, std::int64_t step) {
    std::string prompt = text_of(row, "prompt");
    auto [entry, is_new] = rollouts.group_of.emplace(prompt, rollouts.groups.size());
    if (is_new) rollouts.groups.push_back({step, static_cast<int>(entry->second), prompt, "", {}});
    RolloutGroup& group = rollouts.groups[entry->second];
    RolloutSample sample;
    sample.sample_index = static_cast<int>(group.samples.size());
    sample.text = text_of(row, "completion");
    for (const auto& [column, value] : row.value.items()) {
        if (column == "step" || !(value.is_number() || value.is_null())) continue;
        if (column == "advantage")
            sample.advantage = value.is_null() ? NAN : value.get<double>();
        else // null: this reward does not apply to the completion
            sample.rewards[column] = value.is_null() ? NAN : value.get<double>();
    }
    sample.reward = total_of(sample.rewards);
    group.samples.push_back(std::move(sample));
}

/// Baselines and the step's metrics.
std::vector<Metric> finish_step(StepRollouts& rollouts) {
    std::map<std::string, std::pair<double, int>> sums;
    for (RolloutGroup& group : rollouts.groups) {
        double total = 0;
        int scored = 0;
        for (const auto& sample : group.samples)
            if (std::isfinite(sample.reward)) {
                total += sample.reward;
                ++scored;
            }
        for (RolloutSample& sample : group.samples) {
            const bool own = std::isfinite(sample.reward);
            if (const int others = scored - own; others > 0)
                sample.baseline = (total - (own ? sample.reward : 0)) / others;
            auto add = [&](const std::string& name, double value) {
                if (!std::isfinite(value)) return;
                sums[name].first += value;
                ++sums[name].second;
            };
            add("reward", sample.reward);
            for (const auto& [reward, value] : sample.rewards)
                add("rewards/" + reward + "/mean", value);
        }
    }
    std::vector<Metric> metrics;
    for (const auto& [name, sum] : sums)
        metrics.push_back({name, sum.first / sum.second});
    return metrics;
}

std::vector<fs::path> completion_files(const fs::path& path, ImportReport& report) {
    // output_dir/completions/ is where TRL puts them.
    std::error_code ignored;
    fs::path inner = path / "completions";
    const fs::path place = fs::is_directory(inner, ignored) ? inner : path;
    std::vector<fs::path> files;
    try {
        for (const auto& split : find_data_splits(place)) {
            files.insert(files.end(), split.files.begin(), split.files.end());
            report.notes.insert(report.notes.end(), split.notes.begin(), split.notes.end());
        }
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::bad_input || !fs::is_directory(place, ignored)) throw;
        fail(ErrorKind::bad_input, place.string()
                                       + " holds no completions: the files that TRL logs with "
                                         "log_completions, completions_*.parquet, are expected.");
    }
    return files;
}

void store_completions(const std::vector<fs::path>& files, RunWriter& writer, ImportReport& report,
                       const StopToken& stop) {
    std::map<std::int64_t, StepRollouts> steps;
    std::int64_t skipped = 0;
    std::string first;
    for (const auto& path : files) {
        RowFile file(path);
        while (auto row = file.next()) {
            check_stop(stop);
            try {
                if (!row->problem.empty()) throw RowError(RowFault::unreadable, row->problem);
                std::int64_t step = step_of(*row);
                if (file.format() == DataFormat::csv) read_numbers(*row);
                add_completion(steps[step], *row, step);
                ++report.completions;
            } catch (const RowError& error) {
                if (skipped++ == 0) first = error.what();
            }
        }
    }
    if (report.completions == 0)
        fail(ErrorKind::bad_input, first.empty() ? "There are no completions to import." : first);
    if (skipped > 0)
        report.notes.push_back(counted(skipped, "row") + " could not be used; the first: " + first);
    std::map<std::string, int> names;
    for (auto& [step, rollouts] : steps) {
        check_stop(stop);
        auto metrics = finish_step(rollouts);
        for (const auto& metric : metrics) {
            ++names[metric.name];
            if (metric.name == "reward") report.run.headline["reward"] = metric.value;
        }
        report.points += static_cast<std::int64_t>(metrics.size());
        writer.on_metrics(step, metrics);
        writer.on_rollouts(rollouts.groups);
    }
    report.metrics = static_cast<std::int64_t>(names.size());
}

} // namespace

std::vector<ImportReport> import_tensorboard(Workspace& workspace, const fs::path& path,
                                             const std::string& name, const StopToken& stop) {
    std::map<fs::path, std::vector<fs::path>> runs;
    for (const auto& file : find_event_files(path))
        runs[file.parent_path()].push_back(file);
    std::vector<ImportReport> reports;
    try {
        for (const auto& [folder, files] : runs) {
            std::string own = name.empty() ? name_of_folder(folder) : name;
            if (!name.empty() && runs.size() > 1) own += "/" + fs::relative(folder, path).string();
            const fs::path& source = files.size() == 1 ? files.front() : folder;
            reports.push_back(import_events(workspace, source, files, own, stop));
        }
    } catch (...) {
        for (const auto& report : reports)
            workspace.remove_run(report.run.id);
        throw;
    }
    return reports;
}

ImportReport import_completions(Workspace& workspace, const fs::path& path, const std::string& name,
                                const StopToken& stop) {
    ImportReport report;
    auto files = completion_files(path, report);
    std::error_code ignored;
    std::string own = !name.empty()                     ? name
                      : fs::is_directory(path, ignored) ? name_of_folder(path)
                                                        : path.stem().string();
    make_finished_run(workspace, report, own, "completions", path,
                      [&](RunWriter& writer) { store_completions(files, writer, report, stop); });
    return report;
}

} // namespace tempera
