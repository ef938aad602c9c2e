#pragma once

#include "core/base/stop_token.h"

#include <csignal>
#include <functional>
#include <iterator>

namespace tempera::cli {

/// Counts SIGINT, SIGTERM and SIGHUP (the terminal was closed) while it lives. One that whoever started us
/// had ignored (nohup, a script's background job) stays ignored. One at a time.
class SignalCounter {
public:
    /// The first one cancels `cancelled` too, where there is one: for work that is not asked between its
    /// parts.
    explicit SignalCounter(StopToken* cancelled = nullptr);
    ~SignalCounter();
    SignalCounter(const SignalCounter&) = delete;
    SignalCounter& operator=(const SignalCounter&) = delete;

    /// From now on a signal ends the program as it does others.
    void restore();

    static int seen();
    /// The number of the newest one, 0 = none yet.
    static int last();

private:
    static constexpr int counted[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction old_[std::size(counted)]{};
};

/// Carries out work that leaves nothing half-done: a signal cancels its token, and the third one ends the
/// program where it stands. Where the work then throws Error(stopped), says what that says and returns 128 +
/// the signal's number; else what the work returns.
int until_signalled(const std::function<int(const StopToken&)>& work);

} // namespace tempera::cli
