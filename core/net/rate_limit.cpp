#include "core/net/rate_limit.h"

#include <algorithm>
#include <thread>

namespace tempera {

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto nap = std::chrono::milliseconds(50); // a stop is seen that late
constexpr double longest_debt = 600;                // seconds that one request may cost the others

Clock::duration duration_of(double seconds) {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

} // namespace

RateLimiter::RateLimiter(int concurrency, double requests_per_minute, double tokens_per_minute)
    : concurrency_(std::max(1, concurrency)),
      request_seconds_(requests_per_minute > 0 ? 60 / requests_per_minute : 0),
      token_seconds_(tokens_per_minute > 0 ? 60 / tokens_per_minute : 0), allowed_(concurrency_) {}

double RateLimiter::seconds_of(double tokens) const {
    return std::clamp(tokens * token_seconds_, 0.0, longest_debt);
}

bool RateLimiter::acquire(double tokens, const StopToken& stop) {
    std::unique_lock lock(mutex_);
    for (;;) {
        if (stop) return false;
        const auto now = Clock::now();
        const auto begin = std::max(ready_at_, held_until_);
        if (under_way_ < allowed_ && now >= begin) {
            ++under_way_;
            ready_at_ = now + duration_of(std::max(request_seconds_, seconds_of(tokens)));
            return true;
        }
        changed_.wait_for(lock,
                          now < begin ? std::min<Clock::duration>(begin - now, nap) : Clock::duration(nap));
    }
}

void RateLimiter::release(double estimated, double used) {
    {
        const std::lock_guard lock(mutex_);
        --under_way_;
        if (token_seconds_ > 0)
            ready_at_ += duration_of(seconds_of(used)) - duration_of(seconds_of(estimated));
    }
    changed_.notify_all();
}

void RateLimiter::hold(double seconds) {
    const std::lock_guard lock(mutex_);
    held_until_ = std::max(held_until_, Clock::now() + duration_of(seconds));
    allowed_ = 1;
}

void RateLimiter::succeeded() {
    {
        const std::lock_guard lock(mutex_);
        allowed_ = std::min(concurrency_, allowed_ * 2);
    }
    changed_.notify_all();
}

bool wait_for(double seconds, const StopToken& stop) {
    const auto end = Clock::now() + duration_of(std::clamp(seconds, 0.0, 1e6));
    for (auto now = Clock::now(); now < end; now = Clock::now()) {
        if (stop) return false;
        std::this_thread::sleep_for(std::min<Clock::duration>(end - now, nap));
    }
    return !stop;
}

} // namespace tempera
