#pragma once

#include "core/net/hub_settings.h"
#include "core/queue/engine.h"
#include "core/store/workspace.h"

#include <functional>
#include <memory>
#include <string>

namespace tempera {

/// Runs the queued runs of a workspace one after the other on a background thread, each with its own
/// RunWriter. A study's stage starts when the stages it refers to are finished. Engine errors end here: they
/// become the run's failure. All members are thread-safe and return at once, except wait_*().
class RunQueue {
public:
    using EngineSource = std::function<Engine&()>; ///< normally load_engine
    /// Called from the background thread whenever a run's record changed (status, progress at most 4 times a
    /// second).
    using Listener = std::function<void(const RunRecord&)>;

    /// `keys` gives the keys of endpoints that the environment does not hold.
    RunQueue(Workspace& workspace, EngineSource engine, Listener listener, int threads = 0,
             KeyLookup keys = {});
    /// Asks a running run to stop at a checkpoint and waits for it.
    ~RunQueue();

    /// Where the settings for downloads from the hub come from (a keychain's token); else the environment.
    /// Called from the background thread, before a run that needs it.
    void set_hub(std::function<HubSettings()> settings);

    void start(); ///< begin to take queued runs; before this nothing runs
    /// Takes only these of the queued runs (the command line runs what it was asked for, not what the window
    /// left queued).
    void start(const std::vector<std::string>& only);
    void pause(); ///< takes no further run; the running one goes on. busy() is then false once nothing runs.
                  ///< start() ends it
    /// Adds a validated recipe (or a study: one run per stage). Returns the ids of the new runs.
    std::vector<std::string> submit(const Json& recipe_or_study);
    void stop(const std::string& run_id);   ///< at a checkpoint; can be resumed
    void cancel(const std::string& run_id); ///< at once; a queued one is just marked
    void
    resume(const std::string& run_id); ///< stopped, failed, interrupted or cancelled -> queued, continuing
    void reorder(const std::string& run_id, int index);
    /// Threads of the runs that start from now on; 0 = all cores.
    void set_threads(int threads);
    bool busy() const; ///< a run is running, or one that could start is waiting
    void wait_until_idle();

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace tempera
