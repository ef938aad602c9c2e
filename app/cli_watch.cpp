#include "app/cli_watch.h"

#include "app/cli.h"
#include "app/cli_comparison.h"
#include "app/cli_output.h"
#include "app/cli_progress.h"
#include "app/cli_records.h"
#include "app/cli_signals.h"
#include "app/cli_study.h"
#include "app/cli_table.h"
#include "core/base/error.h"
#include "core/store/run_reader.h"

#include <algorithm>
#include <map>
#include <optional>
#include <thread>
#include <unistd.h>

namespace tempera::cli {

namespace {

/// Follows the runs of one command until they are over.
class Watcher {
public:
    Watcher(Workspace& workspace, RunQueue& queue, std::vector<std::string> ids, const WatchOptions& options,
            SignalCounter& signals)
        : workspace_(workspace), queue_(queue), ids_(std::move(ids)), options_(options), signals_(signals),
          printer_(options.quiet) {}

    void follow() {
        for (const auto& record : current())
            skip_the_past(record, known_[record.id]);
        queue_.start(ids_);
        while (true) {
            auto records = current();
            for (const auto& record : records)
                report(record);
            heed_signals(records);
            if (!queue_.busy()) break;
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
        for (const auto& record : current())
            report(record);
        printer_.clear();
    }

    std::vector<RunRecord> current() const {
        std::vector<RunRecord> records;
        for (const auto& id : ids_)
            if (auto record = workspace_.run(id)) records.push_back(*record);
        return records;
    }

private:
    void report(const RunRecord& record) {
        auto& known = known_[record.id];
        if (is_active(record.status) || has_ended(record.status)) report_events(record, known);
        if (is_active(record.status)) printer_.show(record);
        if (record.status == known.status) return;
        if (known.status == RunStatus::queued && record.status != RunStatus::queued)
            printer_.line(title_of(record) + ": started as " + record.id);
        if (has_ended(record.status)) {
            auto taken = time_taken(record), words = headline_words(record);
            printer_.line(title_of(record) + ": " + name_of(record.status)
                          + (taken.empty() ? "" : " after " + taken) + (words.empty() ? "" : ", " + words));
        }
        known.status = record.status;
    }

    struct Known {
        RunStatus status = RunStatus::queued;
        std::int64_t last_event = 0;
        std::int64_t last_evaluation = -1;
        std::int64_t version = -1;
        std::unique_ptr<RunReader> reader;
    };

    /// What a resumed run said in an earlier session is not said again.
    void skip_the_past(const RunRecord& record, Known& known) {
        known.reader = std::make_unique<RunReader>(workspace_.run_folder(record.id));
        for (const auto& event : known.reader->events())
            known.last_event = std::max(known.last_event, event.id);
        for (const auto& point : known.reader->metric("eval_loss"))
            known.last_evaluation = std::max(known.last_evaluation, point.step);
    }

    void report_events(const RunRecord& record, Known& known) {
        std::int64_t version = known.reader->version();
        if (version == known.version) return;
        known.version = version;
        for (const auto& point : known.reader->metric("eval_loss", known.last_evaluation)) {
            known.last_evaluation = point.step;
            printer_.line(title_of(record) + ": evaluation at step " + std::to_string(point.step) + ": loss "
                          + number_words(point.value));
        }
        for (const auto& event : known.reader->events(known.last_event)) {
            known.last_event = std::max(known.last_event, event.id);
            bool wanted = event.kind == "warning" || event.kind == "log" || event.kind == "resumed";
            std::string place = event.step >= 0 ? " at step " + std::to_string(event.step) : "";
            std::string what = event.kind == "log" ? "" : event.kind + place + ": ";
            if (wanted) printer_.line(title_of(record) + ": " + what + event.message);
        }
    }

    static std::string title_of(const RunRecord& record) {
        return !record.stage.empty() ? record.stage : !record.name.empty() ? record.name : record.id;
    }

    void heed_signals(const std::vector<RunRecord>& records) {
        const int seen = SignalCounter::seen();
        if (seen == heeded_) return;
        heeded_ = seen;
        queue_.pause();
        if (seen > 1)
            signals_
                .restore(); // a third one ends the program where it stands: the run can be resumed even then
        for (const auto& record : records) {
            if (!is_active(record.status)) continue;
            if (seen == 1)
                queue_.stop(record.id);
            else
                queue_.cancel(record.id);
        }
        printer_.line(seen == 1 ? "Stopping at a checkpoint; Ctrl-C again cancels at once." : "Cancelling.");
    }

    Workspace& workspace_;
    RunQueue& queue_;
    std::vector<std::string> ids_;
    const WatchOptions& options_;
    SignalCounter& signals_;
    ProgressPrinter printer_;
    std::map<std::string, Known> known_;
    int heeded_ = 0;
};

/// The table of every study that these runs belong to and that has the paper's values.
void write_studies(const Workspace& workspace, const std::vector<RunRecord>& records) {
    for (const auto& study : workspace.studies()) {
        const bool mine =
            std::any_of(records.begin(), records.end(), [&](const auto& r) { return r.study == study.id; });
        if (mine && study.recipe.find("\"paper\"") != std::string::npos)
            write_output("\n" + study_table(workspace, study));
    }
}

void write_results(const Workspace& workspace, const std::vector<RunRecord>& records, bool json) {
    Json list = Json::array();
    for (const auto& record : records) {
        Json entry = to_json(record, workspace.run_folder(record.id));
        if (record.kind == "sweep" && has_ended(record.status)) {
            RunReader reader(workspace.run_folder(record.id));
            entry["sweep"] = sweep_to_json(reader, entry["recipe"]);
            if (!json)
                write_output("\n"
                             + sweep_table(reader.sweep_cells(), reader.sweep_rows(), entry["recipe"],
                                           terminal_columns(STDOUT_FILENO)));
        }
        if (record.kind == "win_rate" && has_ended(record.status)) {
            RunReader reader(workspace.run_folder(record.id));
            entry["comparison"] = to_json(compared(reader.comparisons()));
            if (!json)
                write_output("\n" + comparison_table(reader.comparisons(), terminal_columns(STDOUT_FILENO)));
        }
        list.push_back(entry);
    }
    if (!json) write_studies(workspace, records);
    if (json) write_output(Json{{"runs", list}}.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

std::string resume_command(const Workspace& workspace, const RunRecord& record) {
    std::string command = "tempera-cli resume " + record.id;
    if (workspace.folder() != workspace_or_default({}))
        command += " --workspace " + shell_quoted(workspace.folder().string());
    return command;
}

/// One sentence for every run that did not finish; the exit code.
int write_endings(const Workspace& workspace, const std::vector<RunRecord>& records) {
    int code = exit_done;
    bool explained = false;
    for (const auto& record : records) {
        std::string sentence;
        if (record.status == RunStatus::failed) {
            code = exit_failed;
            sentence = record.error.empty() ? record.id + " failed." : record.error;
            if (record.progress.done > 0)
                sentence += " Once that is put right: " + resume_command(workspace, record);
        } else if (has_ended(record.status) && record.status != RunStatus::finished) {
            if (code == exit_done) code = 128 + (SignalCounter::last() ? SignalCounter::last() : SIGINT);
            sentence = record.id + " was " + name_of(record.status)
                       + ". Go on with: " + resume_command(workspace, record);
        }
        if (record.status == RunStatus::queued
            && !explained) { // it waits for another run, and nothing said why yet
            code = exit_failed;
            sentence =
                record.error.empty() ? record.id + " is still queued and could not start." : record.error;
        }
        explained = explained || !sentence.empty();
        if (!sentence.empty()) write_error("tempera-cli: " + one_line(sentence) + "\n");
    }
    return code;
}

} // namespace

int watch(Workspace& workspace, const WatchOptions& options,
          const std::function<std::vector<std::string>(RunQueue&)>& submit) {
    SignalCounter signals;
    std::vector<RunRecord> records;
    {
        RunQueue queue(
            workspace, load_engine, [](const RunRecord&) {}, options.threads);
        Watcher watcher(workspace, queue, submit(queue), options, signals);
        watcher.follow();
        records = watcher.current();
    }
    write_results(workspace, records, options.json);
    flush_output();
    return write_endings(workspace, records);
}

} // namespace tempera::cli
