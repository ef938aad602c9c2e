#pragma once

#include <atomic>
#include <memory>

namespace tempera {

enum class StopRequest {
    none,
    stop,  ///< finish the step, write a checkpoint, end: the run can be resumed
    cancel ///< end at once; what was not stored is lost
};

/// Shared by the one who asks and the run that checks it every step. Copies refer to the same request.
/// Thread-safe.
class StopToken {
public:
    StopToken() : state_(std::make_shared<std::atomic<StopRequest>>(StopRequest::none)) {}

    /// A cancel is never weakened to a stop.
    void request(StopRequest wish) {
        if (state_->load() != StopRequest::cancel) state_->store(wish);
    }
    StopRequest requested() const { return state_->load(std::memory_order_relaxed); }
    explicit operator bool() const { return requested() != StopRequest::none; }

private:
    std::shared_ptr<std::atomic<StopRequest>> state_;
};

} // namespace tempera
