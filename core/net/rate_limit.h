#pragma once

#include "core/base/stop_token.h"

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace tempera {

/// When the threads that share an endpoint may start a request. Starts are spaced by a token bucket of one
/// request: each one pays for itself in seconds (60 / requests a minute, its tokens * 60 / tokens a minute),
/// so that no minute holds more than the limit and one. After a wait that the server asked for, requests
/// start one at a time until one succeeds, then twice as many with every success: threads that waited
/// together do not stampede. Thread-safe.
class RateLimiter {
public:
    /// Zero rates = no limit.
    RateLimiter(int concurrency, double requests_per_minute, double tokens_per_minute);

    /// Waits until a request of about `tokens` may start; false = stopped, nothing to release then.
    bool acquire(double tokens, const StopToken& stop);
    /// A request has ended that was acquired with `estimated` tokens and took `used`.
    void release(double estimated, double used);
    /// No request starts for so many seconds.
    void hold(double seconds);
    void succeeded();

private:
    using Clock = std::chrono::steady_clock;
    double seconds_of(double tokens) const;

    const int concurrency_;
    const double request_seconds_, token_seconds_;
    std::mutex mutex_;
    std::condition_variable changed_;
    int under_way_ = 0;
    int allowed_;
    Clock::time_point ready_at_ = Clock::now(), held_until_ = Clock::now();
};

/// Sleeps, at most 50 ms beyond a stop; false = stopped.
bool wait_for(double seconds, const StopToken& stop);

} // namespace tempera
