#include "ui/rate_meter.h"

namespace tempera {

void RateMeter::add(double seconds, double done) {
    if (!readings_.empty() && done < readings_.back().done) readings_.clear(); // another phase began
    readings_.push_back({seconds, done});
    while (readings_.size() > 2 && seconds - readings_.front().seconds > window_seconds)
        readings_.pop_front();
}

double RateMeter::rate() const {
    if (readings_.size() < 2) return 0;
    const double passed = readings_.back().seconds - readings_.front().seconds;
    return passed < 0.5 ? 0 : (readings_.back().done - readings_.front().done) / passed;
}

double RateMeter::eta(double total) const {
    const double now = rate();
    return now > 0 && total > 0 ? (total - readings_.back().done) / now : -1;
}

} // namespace tempera
