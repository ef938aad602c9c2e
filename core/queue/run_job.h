#pragma once

#include "core/base/error.h"
#include "core/queue/notifier.h"
#include "core/queue/run_queue.h"
#include "core/store/run_writer.h"

namespace tempera {

/// One execution of a run, on the thread that calls run(): inputs resolved, an unchanged stage reused,
/// everything reported stored by the run's own RunWriter. This is the job boundary: what the engine throws
/// ends here.
struct RunJob {
    Workspace& workspace;
    const RunQueue::EngineSource& engine;
    Notifier& notifier;
    StopToken stop;
    int threads = 0;
    KeyLookup keys = {};
    std::function<HubSettings()> hub = hub_settings; ///< for what must be downloaded first

    /// Leaves the run's end in `record` (status, error, progress, headline, ended_ms), not yet in the
    /// catalogue. Returns the kind of the failure where the status is failed.
    ErrorKind run(RunRecord& record);

private:
    RunStatus execute(const RunRecord& record, std::unique_ptr<RunWriter>& writer);
    bool reuse(const RunRecord& record, const std::string& fingerprint, std::unique_ptr<RunWriter>& writer);
};

} // namespace tempera
