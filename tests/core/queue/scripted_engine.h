#pragma once

#include "../store/store_fixture.h"
#include "core/base/files.h"
#include "core/queue/run_queue.h"

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <thread>

namespace tempera::test {

/// An engine that does what the test says, by the recipe's "name". Without a script a run reports three
/// steps, leaves a model and finishes.
class ScriptedEngine final : public Engine {
public:
    using Script = std::function<RunOutcome(const RunRequest&, RunObserver&, const StopToken&)>;
    std::map<std::string, Script> scripts;

    RunOutcome run(const RunRequest& request, RunObserver& observer, const StopToken& stop) override {
        std::string name = request.recipe.value("name", "");
        {
            std::lock_guard guard(mutex_);
            requests_.push_back(request);
        }
        int now = ++running_;
        if (now > most_running_) most_running_ = now;
        struct Leave {
            std::atomic<int>& count;
            ~Leave() { --count; }
        } leave{running_};
        auto script = scripts.find(name);
        return script == scripts.end() ? ordinary(request, observer, stop)
                                       : script->second(request, observer, stop);
    }

    static RunOutcome ordinary(const RunRequest& request, RunObserver& observer, const StopToken&) {
        for (int step = 1; step <= 3; ++step) {
            std::vector<Metric> metrics{{"loss", 1.0 / step}};
            observer.on_metrics(step, metrics);
            observer.on_progress({"training", step, 3, "steps", 100, 0, 0.1});
        }
        observer.on_headline("eval_loss", 0.25);
        leave_model(request);
        return RunOutcome::finished;
    }

    /// Works until it is asked to stop.
    static RunOutcome endless(const RunRequest&, RunObserver& observer, const StopToken& stop) {
        for (int step = 1;; ++step) {
            if (stop)
                return stop.requested() == StopRequest::cancel ? RunOutcome::cancelled : RunOutcome::stopped;
            observer.on_progress({"training", step, 0, "steps", 100, -1, 0.1});
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
    }

    static void leave_model(const RunRequest& request) {
        StagedFolder model(request.folder / "model");
        write_file_atomic(model.path() / "config.json",
                          "{\"from\":\"" + request.folder.filename().string() + "\"}");
        model.commit();
    }

    std::unique_ptr<LoadedModel> load(const fs::path&, const std::optional<fs::path>&, int) override {
        fail(ErrorKind::unsupported, "The scripted engine loads no model.");
    }
    std::unique_ptr<LoadedRewardModel> load_reward(const fs::path&, const std::string&, int) override {
        fail(ErrorKind::unsupported, "The scripted engine scores nothing.");
    }
    void merge(const fs::path&, const fs::path&, const fs::path&, const MergeProgress&,
               const StopToken&) override {
        fail(ErrorKind::unsupported, "The scripted engine merges nothing.");
    }

    std::vector<RunRequest> requests() const {
        std::lock_guard guard(mutex_);
        return requests_;
    }
    std::vector<std::string> names() const {
        std::vector<std::string> names;
        for (const auto& request : requests())
            names.push_back(request.recipe.value("name", ""));
        return names;
    }
    int most_running() const { return most_running_; }

private:
    mutable std::mutex mutex_;
    std::vector<RunRequest> requests_;
    std::atomic<int> running_{0}, most_running_{0};
};

/// A workspace with a model folder, a scripted engine, a queue that is not started, and all the listener
/// heard.
struct QueueFixture {
    explicit QueueFixture(bool with_queue = true) {
        fs::create_directories(root() / "base");
        write_file_atomic(root() / "base/config.json", "{}");
        workspace = std::make_unique<Workspace>(root() / "workspace", Workspace::Access::read_write);
        if (with_queue) make_queue();
    }
    void make_queue() {
        queue = std::make_unique<RunQueue>(
            *workspace, [this]() -> Engine& { return engine; },
            [this](const RunRecord& record) {
                std::lock_guard guard(mutex);
                heard.push_back(record);
                heard_at.push_back(std::chrono::steady_clock::now());
            },
            1);
    }
    fs::path root() const { return folder.path().toStdString(); }
    Json sft(const std::string& name) const {
        return {{"kind", "sft"}, {"name", name}, {"model", (root() / "base").string()}};
    }
    Json study(const std::string& sft_name = "train") const {
        Json train = sft(sft_name),
             sweep = {{"kind", "sweep"}, {"name", "sweep"}, {"model", "@sft"}, {"stage", "sweep"}};
        train["stage"] = "sft";
        return {{"study", "figure-5"}, {"title", "Figure 5"}, {"stages", {sweep, train}}};
    }
    RunRecord run(const std::string& id) const { return workspace->require_run(id); }
    RunStatus status(const std::string& id) const { return run(id).status; }
    std::vector<RunRecord> heard_of(const std::string& id) {
        std::lock_guard guard(mutex);
        std::vector<RunRecord> records;
        for (const auto& record : heard)
            if (record.id == id) records.push_back(record);
        return records;
    }
    std::vector<std::string> events(const std::string& id) const {
        std::vector<std::string> kinds;
        for (const auto& event : RunReader(workspace->run_folder(id)).events())
            kinds.push_back(event.kind);
        return kinds;
    }

    QTemporaryDir folder{fast_folder()};
    ScriptedEngine engine;
    std::unique_ptr<Workspace> workspace;
    std::mutex mutex;
    std::vector<RunRecord> heard;
    std::vector<std::chrono::steady_clock::time_point> heard_at;
    std::unique_ptr<RunQueue> queue; ///< last: it goes first
};

} // namespace tempera::test
