#include "core/queue/notifier.h"

#include "core/base/error.h"

namespace tempera {

namespace {
constexpr auto progress_interval = std::chrono::milliseconds(250);
}

Notifier::Notifier(Workspace& workspace, Listener listener)
    : workspace_(workspace), listener_(std::move(listener)) {
    thread_ = std::thread([this] { work(); });
}

Notifier::~Notifier() {
    close();
}

void Notifier::close() {
    {
        std::lock_guard guard(mutex_);
        quit_ = true;
        changed_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
}

void Notifier::post(RunRecord record) {
    std::lock_guard guard(mutex_);
    if (live_ && live_->id == record.id)
        live_->status = record.status; // progress must not show the former one
    outbox_.push_back(std::move(record));
    changed_.notify_all();
}

void Notifier::begin_run(const RunRecord& record) {
    std::lock_guard guard(mutex_);
    live_ = record;
    dirty_ = false;
}

void Notifier::set_progress(const Progress& progress) {
    std::lock_guard guard(mutex_);
    if (!live_) return;
    live_->progress = progress;
    if (!dirty_) changed_.notify_all();
    dirty_ = true;
}

void Notifier::set_headline(const std::string& name, double value) {
    std::lock_guard guard(mutex_);
    if (!live_) return;
    live_->headline[name] = value;
    if (!dirty_) changed_.notify_all();
    dirty_ = true;
}

RunRecord Notifier::with_progress(RunRecord record) {
    std::lock_guard guard(mutex_);
    if (live_ && live_->id == record.id) {
        record.progress = live_->progress;
        record.headline = live_->headline;
    }
    return record;
}

RunRecord Notifier::end_run(RunRecord record) {
    record = with_progress(std::move(record));
    std::unique_lock guard(mutex_);
    live_.reset();
    dirty_ = false;
    changed_.wait(guard, [&] { return !delivering_; }); // a progress on its way must not overtake the end
    return record;
}

void Notifier::wait_until_delivered() {
    std::unique_lock guard(mutex_);
    changed_.wait(guard, [&] { return (outbox_.empty() && !delivering_) || quit_; });
}

void Notifier::work() {
    std::unique_lock guard(mutex_);
    while (true) {
        if (!outbox_.empty()) {
            RunRecord record = std::move(outbox_.front());
            outbox_.pop_front();
            deliver(guard, record, false);
        } else if (quit_) {
            return;
        } else if (dirty_ && std::chrono::steady_clock::now() >= next_progress_) {
            dirty_ = false;
            next_progress_ = std::chrono::steady_clock::now() + progress_interval;
            deliver(guard, RunRecord(*live_), true);
        } else if (dirty_) {
            changed_.wait_until(guard, next_progress_);
        } else {
            changed_.wait(guard);
        }
    }
}

void Notifier::deliver(std::unique_lock<std::mutex>& guard, const RunRecord& record, bool save_progress) {
    delivering_ = true;
    guard.unlock();
    try {
        if (save_progress) workspace_.update_progress(record.id, record.progress, record.headline);
    } catch (const Error&) { // the next one is tried again; what the run stores itself does not depend on it
    }
    try {
        if (listener_) listener_(record);
    } catch (const std::exception&) { // a listener's own trouble is not the run's
    }
    guard.lock();
    delivering_ = false;
    changed_.notify_all();
}

} // namespace tempera
