#include "app/cli_signals.h"

namespace tempera::cli {

namespace {

volatile std::sig_atomic_t signals_seen = 0;
volatile std::sig_atomic_t last_signal = 0;

extern "C" void count_signal(int number) {
    signals_seen = signals_seen + 1;
    last_signal = number;
}

} // namespace

SignalCounter::SignalCounter() {
    signals_seen = 0;
    struct sigaction action {};
    action.sa_handler = count_signal;
    action.sa_flags = SA_RESTART;
    for (std::size_t i = 0; i < std::size(counted); ++i) {
        sigaction(counted[i], nullptr, &old_[i]);
        if (old_[i].sa_handler != SIG_IGN) sigaction(counted[i], &action, nullptr);
    }
}

void SignalCounter::restore() {
    for (std::size_t i = 0; i < std::size(counted); ++i)
        sigaction(counted[i], &old_[i], nullptr);
}

int SignalCounter::seen() {
    return signals_seen;
}

int SignalCounter::last() {
    return last_signal;
}

} // namespace tempera::cli
