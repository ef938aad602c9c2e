#pragma once

#include <csignal>
#include <iterator>

namespace tempera::cli {

/// Counts SIGINT, SIGTERM and SIGHUP (the terminal was closed) while it lives. One that whoever started us
/// had ignored (nohup, a script's background job) stays ignored. One at a time.
class SignalCounter {
public:
    SignalCounter();
    ~SignalCounter() { restore(); }
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

} // namespace tempera::cli
