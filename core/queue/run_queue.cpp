#include "core/queue/run_queue.h"

#include "core/base/error.h"
#include "core/queue/notifier.h"
#include "core/queue/run_job.h"
#include "core/queue/stages.h"
#include "core/recipe/field.h"
#include "core/recipe/study.h"
#include "core/store/run_folder.h"
#include "core/store/run_import.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

namespace tempera {

namespace {

constexpr int background_nice = 10; // the window outranks training; threads that the engine starts inherit it

std::string text_at(const Json& json, const char* name) {
    auto found = json.find(name);
    return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string name_for(const Json& recipe, const std::string& fallback) {
    for (const char* key : {"name", "title"})
        if (auto name = text_at(recipe, key); !name.empty()) return name;
    return fallback;
}

bool can_resume(RunStatus status) {
    return status == RunStatus::stopped || status == RunStatus::failed || status == RunStatus::interrupted
           || status == RunStatus::cancelled;
}

} // namespace

struct RunQueue::State {
    State(Workspace& workspace_, EngineSource engine_, Listener listener, int threads_, KeyLookup keys_)
        : workspace(workspace_), engine(std::move(engine_)), threads(threads_), keys(std::move(keys_)),
          notifier(workspace_, std::move(listener)) {
        worker = std::thread([this] { work(); });
    }
    ~State();

    void work();
    bool can_take() const { return started && !held && scan_needed; }
    std::optional<RunRecord> take_next();
    void finish(RunRecord record, ErrorKind failure);
    void save_unsaved();
    void submit_study(const Json& recipe, std::vector<std::string>& ids);

    /// Saves a change of status and tells the listener. Under the mutex.
    void save(const RunRecord& record) {
        workspace.update_state(record);
        notifier.post(record);
    }
    /// Something may be able to start now.
    void rescan() {
        held = false;
        scan_needed = true;
        changed.notify_all();
    }
    bool is_current(const std::string& id) const { return current && current->id == id; }

    Workspace& workspace;
    EngineSource engine;
    int threads; ///< of the runs that start from now on; guarded by the mutex
    KeyLookup keys;
    Notifier notifier;

    mutable std::mutex mutex; ///< guards all below, and every change of a status
    std::condition_variable changed;
    std::function<HubSettings()> hub = hub_settings;
    bool started = false;
    std::optional<std::set<std::string>> only; ///< the runs that may start; none = all
    bool quit = false;
    bool held = false; ///< the disk is full: starting more would only fail more
    bool scan_needed = true;
    std::optional<RunRecord> current; ///< what runs now; its progress lives in the notifier
    StopToken token;
    std::map<std::string, RunRecord> unsaved; ///< ends that the catalogue could not take
    std::thread worker;
};

RunQueue::State::~State() {
    {
        std::lock_guard guard(mutex);
        quit = true;
        token.request(StopRequest::stop);
        changed.notify_all();
    }
    worker.join();
    save_unsaved();
    notifier.close();
}

void RunQueue::State::work() {
    const auto self = static_cast<id_t>(syscall(SYS_gettid));
    // never up: root may, and whoever started us with a lower one meant it
    setpriority(PRIO_PROCESS, self, std::max(background_nice, getpriority(PRIO_PROCESS, self)));
    std::unique_lock guard(mutex);
    while (!quit) {
        save_unsaved();
        if (!can_take()) {
            if (unsaved.empty())
                changed.wait(guard);
            else
                changed.wait_for(guard, std::chrono::seconds(1));
            continue;
        }
        scan_needed = false;
        current = take_next();
        changed.notify_all();
        if (!current) continue;
        token = StopToken();
        RunJob job{workspace, engine, notifier, token, threads, keys, hub};
        RunRecord record = *current;
        guard.unlock();
        ErrorKind failure = job.run(record);
        guard.lock();
        finish(std::move(record), failure);
    }
}

/// The first queued run that can start, marked as running; and the reason beside every one that cannot. Under
/// the mutex.
std::optional<RunRecord> RunQueue::State::take_next() {
    std::optional<RunRecord> next;
    try {
        for (auto& record : workspace.runs()) {
            if (record.status != RunStatus::queued || (only && !only->contains(record.id))) continue;
            Readiness readiness = readiness_of(record, workspace);
            if (record.error != readiness.reason) {
                record.error = readiness.reason;
                save(record);
            }
            if (readiness.ready && !next) next = record;
        }
        if (!next) return next;
        next->status = RunStatus::running;
        next->started_ms = unix_time_ms();
        next->ended_ms = 0;
        save(*next);
        return next;
    } catch (const std::exception& error) {
        // The catalogue cannot be written: nothing is started that could not be recorded.
        held = true;
        if (next) {
            next->status = RunStatus::queued;
            next->error = error.what();
            notifier.post(*next);
        }
        return std::nullopt;
    }
}

/// Under the mutex.
void RunQueue::State::finish(RunRecord record, ErrorKind failure) {
    current.reset();
    held = record.status == RunStatus::failed && failure == ErrorKind::disk_full;
    unsaved[record.id] = record;
    save_unsaved();
    notifier.post(std::move(record)); // the window learns it even where the disk does not
    scan_needed = true;
    changed.notify_all();
}

/// Under the mutex, or alone.
void RunQueue::State::save_unsaved() {
    for (auto entry = unsaved.begin(); entry != unsaved.end();) {
        try {
            workspace.update_state(entry->second);
        } catch (const Error&) {
            ++entry;
            continue;
        }
        entry = unsaved.erase(entry);
    }
}

RunQueue::RunQueue(Workspace& workspace, EngineSource engine, Listener listener, int threads, KeyLookup keys)
    : state_(std::make_unique<State>(workspace, std::move(engine), std::move(listener), threads,
                                     std::move(keys))) {}

RunQueue::~RunQueue() = default;

void RunQueue::set_hub(std::function<HubSettings()> settings) {
    std::lock_guard guard(state_->mutex);
    state_->hub = std::move(settings);
}

void RunQueue::start() {
    std::lock_guard guard(state_->mutex);
    state_->started = true;
    state_->only.reset();
    state_->rescan();
}

void RunQueue::start(const std::vector<std::string>& only) {
    std::lock_guard guard(state_->mutex);
    state_->started = true;
    state_->only.emplace(only.begin(), only.end());
    state_->rescan();
}

void RunQueue::pause() {
    std::lock_guard guard(state_->mutex);
    state_->started = false;
    state_->changed.notify_all();
}

void RunQueue::set_threads(int threads) {
    std::lock_guard guard(state_->mutex);
    state_->threads = threads;
}

void RunQueue::State::submit_study(const Json& recipe, std::vector<std::string>& ids) {
    Study study = parse_study(recipe);
    for (const auto& stage : study.stages)
        check_references(stage.recipe, {&workspace, ""});
    StudyRecord parent = workspace.add_study(
        {"", study.title.empty() ? study.name : study.title, to_json_line(to_json(study)), 0});
    try {
        for (const auto& stage : study.stages) {
            RunRecord record;
            record.study = parent.id;
            record.stage = stage.name;
            record.kind = text_at(stage.recipe, "kind");
            record.name = name_for(stage.recipe, stage.name);
            record.recipe = to_json_line(stage.recipe);
            ids.push_back(workspace.add_run(record).id);
        }
    } catch (...) {
        workspace.remove_study(parent.id);
        throw;
    }
}

std::vector<std::string> RunQueue::submit(const Json& recipe_or_study) {
    std::lock_guard guard(state_->mutex);
    std::vector<std::string> ids;
    if (is_study(recipe_or_study)) {
        state_->submit_study(recipe_or_study, ids);
    } else {
        Json recipe = complete_recipe_or_study(recipe_or_study);
        check_references(recipe, {&state_->workspace, ""});
        RunRecord record;
        record.kind = text_at(recipe, "kind");
        record.name = name_for(recipe, recipe_kind(record.kind).title);
        record.recipe = to_json_line(recipe);
        ids.push_back(state_->workspace.add_run(record).id);
    }
    for (const auto& id : ids)
        state_->notifier.post(state_->workspace.require_run(id));
    state_->rescan();
    return ids;
}

void RunQueue::stop(const std::string& run_id) {
    std::lock_guard guard(state_->mutex);
    if (state_->is_current(run_id)) {
        state_->token.request(StopRequest::stop);
        if (state_->current->status == RunStatus::stopping) return;
        state_->current->status = RunStatus::stopping;
        state_->save(state_->notifier.with_progress(*state_->current));
        return;
    }
    RunRecord record = state_->workspace.require_run(run_id);
    if (record.status != RunStatus::queued) return; // it has ended already
    record.status = RunStatus::stopped;
    record.error.clear();
    state_->save(record);
    state_->rescan();
}

void RunQueue::cancel(const std::string& run_id) {
    std::lock_guard guard(state_->mutex);
    if (state_->is_current(run_id)) {
        state_->token.request(StopRequest::cancel);
        state_->current->status = RunStatus::stopping;
        state_->save(state_->notifier.with_progress(*state_->current));
        return;
    }
    RunRecord record = state_->workspace.require_run(run_id);
    if (record.status == RunStatus::finished || record.status == RunStatus::failed) return;
    record.status = RunStatus::cancelled;
    record.error.clear();
    state_->save(record);
    state_->rescan();
}

void RunQueue::resume(const std::string& run_id) {
    std::lock_guard guard(state_->mutex);
    if (state_->is_current(run_id)) {
        if (state_->current->status == RunStatus::running) return;
        fail(ErrorKind::busy, "Run " + run_id + " is still stopping; resume it when it has stopped.");
    }
    RunRecord record = state_->workspace.require_run(run_id);
    if (record.kind == imported_kind)
        fail(ErrorKind::bad_input,
             "Run " + run_id + " was imported: what another program did cannot be resumed here.");
    if (record.status == RunStatus::queued) return state_->rescan();
    if (!can_resume(record.status))
        fail(ErrorKind::bad_input,
             "Run " + run_id + " is " + name_of(record.status) + "; there is nothing left to resume.");
    record.status = RunStatus::queued;
    record.error.clear();
    state_->save(record);
    state_->rescan();
}

void RunQueue::reorder(const std::string& run_id, int index) {
    std::lock_guard guard(state_->mutex);
    state_->workspace.reorder(run_id, index);
    state_->notifier.post(state_->workspace.require_run(run_id));
    state_->rescan();
}

bool RunQueue::busy() const {
    std::lock_guard guard(state_->mutex);
    return state_->current.has_value() || state_->can_take();
}

void RunQueue::wait_until_idle() {
    {
        std::unique_lock guard(state_->mutex);
        state_->changed.wait(guard, [&] { return !state_->current && !state_->can_take(); });
    }
    state_->notifier.wait_until_delivered();
}

} // namespace tempera
