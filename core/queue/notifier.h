#pragma once

#include "core/store/workspace.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace tempera {

/// Tells the queue's listener what changed, in order and from one thread of its own, so that neither a slow
/// listener nor the catalogue's fsync holds up training. Progress is collected and passed on, to the
/// catalogue and the listener, at most four times a second. All members are thread-safe.
class Notifier {
public:
    using Listener = std::function<void(const RunRecord&)>;
    Notifier(Workspace& workspace, Listener listener);
    ~Notifier();

    /// A change that is already in the catalogue.
    void post(RunRecord record);

    /// From here to end_run() set_*() speak of this run.
    void begin_run(const RunRecord& record);
    void set_progress(const Progress& progress);
    void set_headline(const std::string& name, double value);
    /// Returns the record with its last progress; afterwards none of it is written any more.
    RunRecord end_run(RunRecord record);
    /// `record` with the progress reported so far, where it is the run between begin and end.
    RunRecord with_progress(RunRecord record);

    /// Not from the listener.
    void wait_until_delivered();
    /// Delivers what is left and ends the thread.
    void close();

private:
    void work();
    void deliver(std::unique_lock<std::mutex>& guard, const RunRecord& record, bool save_progress);

    Workspace& workspace_;
    Listener listener_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<RunRecord> outbox_;
    std::optional<RunRecord> live_; ///< the run between begin and end
    bool dirty_ = false;            ///< live_ holds news
    bool delivering_ = false;
    bool quit_ = false;
    std::chrono::steady_clock::time_point next_progress_{};
    std::thread thread_;
};

} // namespace tempera
