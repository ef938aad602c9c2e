#include "core/queue/run_job.h"

#include "core/queue/stages.h"
#include "core/store/run_copy.h"
#include "core/store/run_folder.h"
#include "core/store/run_reader.h"
#include "core/store/run_writer.h"
#include "core/synthetic/synthetic_run.h"

#include <algorithm>
#include <new>

namespace fs = std::filesystem;

namespace tempera {

namespace {

/// Stores everything; shows progress and headline on the way.
class ReportingObserver final : public RunObserver {
public:
    ReportingObserver(RunWriter& writer, Notifier& notifier) : writer_(writer), notifier_(notifier) {}

    void on_progress(const Progress& progress) override {
        notifier_.set_progress(progress);
        writer_.on_progress(progress);
    }
    void on_metrics(std::int64_t step, std::span<const Metric> metrics) override {
        writer_.on_metrics(step, metrics);
    }
    void on_event(const RunEvent& event) override { writer_.on_event(event); }
    void on_prompts(std::span<const PromptRecord> prompts) override { writer_.on_prompts(prompts); }
    void on_samples(std::span<const Sample> samples) override { writer_.on_samples(samples); }
    void on_sweep(std::span<const SweepCell> cells, std::span<const SweepRow> rows) override {
        writer_.on_sweep(cells, rows);
    }
    void on_rollouts(std::span<const RolloutGroup> groups) override { writer_.on_rollouts(groups); }
    void on_comparisons(std::span<const Comparison> comparisons) override {
        writer_.on_comparisons(comparisons);
    }
    void on_checkpoint(const CheckpointRecord& checkpoint) override { writer_.on_checkpoint(checkpoint); }
    void on_headline(const std::string& name, double value) override {
        notifier_.set_headline(name, value);
        writer_.on_headline(name, value);
    }

private:
    RunWriter& writer_;
    Notifier& notifier_;
};

RunStatus status_of(RunOutcome outcome) {
    switch (outcome) {
    case RunOutcome::finished:
        return RunStatus::finished;
    case RunOutcome::stopped:
        return RunStatus::stopped;
    case RunOutcome::cancelled:
        return RunStatus::cancelled;
    }
    return RunStatus::failed;
}

std::string first_line(const std::string& text) {
    return text.substr(0, std::min<std::size_t>(text.find('\n'), 500));
}

/// Best effort: where the disk is full the catalogue's row says it alone.
void store_event(const fs::path& folder, std::unique_ptr<RunWriter>& writer, const char* kind,
                 const std::string& message) {
    try {
        if (!writer) writer = std::make_unique<RunWriter>(folder);
        writer->on_event({0, 0, -1, kind, message});
        writer->flush();
    } catch (const std::exception&) {
    }
}

} // namespace

ErrorKind RunJob::run(RunRecord& record) {
    const fs::path folder = workspace.run_folder(record.id);
    ErrorKind kind = ErrorKind::internal;
    std::unique_ptr<RunWriter> writer;
    notifier.begin_run(record);
    record.error.clear();
    bool ended = false;
    try {
        record.status = execute(record, writer);
        ended = true;
    } catch (const Error& error) {
        kind = error.kind();
        record.error = error.what();
    } catch (const std::bad_alloc&) {
        record.error = "Out of memory: choose a smaller batch, fewer slots or a smaller model.";
    } catch (const std::exception& error) {
        record.error = "The engine failed: " + first_line(error.what());
    } catch (...) {
        record.error = "The engine failed for an unknown reason.";
    }
    if (!ended) {
        bool stopped = kind == ErrorKind::stopped;
        record.status = !stopped                                  ? RunStatus::failed
                        : stop.requested() == StopRequest::cancel ? RunStatus::cancelled
                                                                  : RunStatus::stopped;
        store_event(folder, writer, name_of(record.status), record.error);
        if (stopped) record.error.clear();
    }
    writer.reset();
    record = notifier.end_run(std::move(record));
    record.ended_ms =
        std::max(unix_time_ms(), record.started_ms); // the clock may have been set back meanwhile
    return kind;
}

RunStatus RunJob::execute(const RunRecord& record, std::unique_ptr<RunWriter>& writer) {
    const fs::path folder = workspace.run_folder(record.id);
    make_run_folder(folder, record.recipe);
    sweep_run_folder(folder);
    const auto show = [this](const HubProgress& progress) { notifier.set_progress(to_progress(progress)); };
    std::vector<std::string> notes;
    const HubAccess access{hub, show, stop, [&](const std::string& note) { notes.push_back(note); }};
    Json recipe = resolved_recipe(record, workspace, &access);
    bool resume = fs::exists(folder / "run.db");
    std::string fingerprint = fingerprint_of(record, recipe, workspace);
    workspace.set_fingerprint(record.id, fingerprint);
    if (!resume && reuse(record, fingerprint, writer)) return RunStatus::finished;

    writer = std::make_unique<RunWriter>(folder);
    writer->on_event({0, 0, -1, "started", resume ? "Started again." : "Started."});
    for (const auto& note : notes)
        writer->on_event({0, 0, -1, "log", note});
    writer->flush();
    ReportingObserver observer(*writer, notifier);
    const RunRequest request{record.kind, recipe, folder, resume, threads, keys};
    const RunOutcome outcome = record.kind == "synthetic" ? run_synthetic(request, observer, stop)
                                                          : engine().run(request, observer, stop);
    RunStatus status = status_of(outcome);
    constexpr const char* ends[] = {"Finished.", "Stopped; it can be resumed.", "Cancelled."};
    writer->on_event({0, 0, -1, name_of(status), ends[static_cast<int>(outcome)]});
    writer->flush();
    return status;
}

/// An unchanged stage takes over what an earlier run with the same recipe and inputs left.
bool RunJob::reuse(const RunRecord& record, const std::string& fingerprint,
                   std::unique_ptr<RunWriter>& writer) {
    auto source = reusable_run(record, fingerprint, workspace);
    if (!source) return false;
    const fs::path folder = workspace.run_folder(record.id);
    copy_run_results(workspace.run_folder(source->id), folder);
    writer = std::make_unique<RunWriter>(folder);
    writer->on_event(
        {0, 0, -1, "finished", "Took over the result of run " + source->id + ": same recipe, same inputs."});
    writer->flush();
    RunReader reader(folder);
    notifier.set_progress(reader.progress());
    for (const auto& [name, value] : reader.headline())
        notifier.set_headline(name, value);
    return true;
}

} // namespace tempera
