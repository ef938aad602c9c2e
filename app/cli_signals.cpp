#include "app/cli_signals.h"

#include "app/cli_output.h"
#include "core/base/error.h"

namespace tempera::cli {

namespace {

volatile std::sig_atomic_t signals_seen = 0;
volatile std::sig_atomic_t last_signal = 0;
StopToken* volatile to_cancel = nullptr; // storing into its atomic is what a handler may do

extern "C" void count_signal(int number) {
    signals_seen = signals_seen + 1;
    last_signal = number;
    if (!to_cancel) return;
    to_cancel->request(StopRequest::cancel);
    if (signals_seen > 1) std::signal(number, SIG_DFL);
}

} // namespace

SignalCounter::SignalCounter(StopToken* cancelled) {
    signals_seen = 0;
    to_cancel = cancelled;
    struct sigaction action {};
    action.sa_handler = count_signal;
    action.sa_flags = SA_RESTART;
    for (std::size_t i = 0; i < std::size(counted); ++i) {
        sigaction(counted[i], nullptr, &old_[i]);
        if (old_[i].sa_handler != SIG_IGN) sigaction(counted[i], &action, nullptr);
    }
}

SignalCounter::~SignalCounter() {
    restore();
    to_cancel = nullptr;
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

int until_signalled(const std::function<int(const StopToken&)>& work) {
    StopToken stop;
    SignalCounter signals(&stop);
    try {
        return work(stop);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::stopped || SignalCounter::seen() == 0) throw;
        write_error("tempera-cli: " + one_line(error.what()) + "\n");
        return 128 + SignalCounter::last();
    }
}

} // namespace tempera::cli
