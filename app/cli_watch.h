#pragma once

#include "core/queue/run_queue.h"

#include <functional>
#include <string>
#include <vector>

namespace tempera::cli {

struct WatchOptions {
    bool json = false;
    bool quiet = false;
    int threads = 0;
};

/// Submits runs to a queue, works them off while it shows their progress, and prints their results. The first
/// Ctrl-C (or SIGTERM) stops at a checkpoint, the second cancels. Returns the exit code: 0 all finished, 1
/// one failed, 128 + signal stopped.
int watch(Workspace& workspace, const WatchOptions& options,
          const std::function<std::vector<std::string>(RunQueue&)>& submit);

} // namespace tempera::cli
