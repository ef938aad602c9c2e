#pragma once

#include <cstdint>
#include <ctime>

namespace tempera::test {

/// The processor time that this process has taken. Unlike the clock on the wall it does not count what other
/// programs took, so that a bound on it says something about the code alone.
class CpuClock {
public:
    void start() { began_ = now(); }
    std::int64_t elapsed() const { return (now() - began_) / 1'000'000; } ///< milliseconds
    std::int64_t restart() {
        const std::int64_t passed = elapsed();
        start();
        return passed;
    }

private:
    static std::int64_t now() {
        timespec time{};
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
        return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
    }
    std::int64_t began_ = now();
};

/// What `milliseconds` of work may take here: the sanitizers slow it down by their checks.
constexpr std::int64_t allowed_ms(std::int64_t milliseconds) {
#ifdef __SANITIZE_ADDRESS__
    return 20 * milliseconds;
#else
    return milliseconds;
#endif
}

} // namespace tempera::test
