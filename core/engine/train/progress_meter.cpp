#include "core/engine/train/progress_meter.h"

#include "core/engine/train/machine.h"

#include <algorithm>
#include <cmath>

namespace tempera {

ProgressMeter::ProgressMeter(std::int64_t first_step, std::int64_t total_steps, const MeterSums& since_log)
    : first_step_(first_step), total_steps_(total_steps), began_(Clock::now()), sums_(since_log) {}

void ProgressMeter::add_step(std::span<const Metric> means, std::int64_t tokens, double seconds) {
    for (const Metric& metric : means) {
        auto sum = std::find_if(sums_.begin(), sums_.end(),
                                [&](const MeterSum& other) { return other.name == metric.name; });
        if (sum == sums_.end()) sum = sums_.insert(sums_.end(), {metric.name, 0, 0});
        if (std::isnan(metric.value)) continue;
        sum->sum += metric.value;
        ++sum->count;
    }
    interval_seconds_ += seconds;
    tokens_ += tokens;
    interval_tokens_ += tokens;
}

std::vector<Metric> ProgressMeter::take_metrics(double gradient_norm, double learning_rate,
                                                std::int64_t num_tokens, double epoch) {
    double seconds = std::max(interval_seconds_, 1e-9);
    std::vector<Metric> metrics;
    for (const MeterSum& sum : sums_)
        if (sum.count > 0) metrics.push_back({sum.name, sum.sum / static_cast<double>(sum.count)});
    for (const Metric& metric :
         {Metric{"grad_norm", gradient_norm}, Metric{"learning_rate", learning_rate},
          Metric{"num_tokens", static_cast<double>(num_tokens)}, Metric{"epoch", epoch},
          Metric{"tokens_per_second", static_cast<double>(interval_tokens_) / seconds},
          Metric{"memory_gib", memory_gib()}})
        metrics.push_back(metric);
    sums_ = {};
    interval_seconds_ = 0;
    interval_tokens_ = 0;
    return metrics;
}

Progress ProgressMeter::progress(const std::string& phase, std::int64_t step) const {
    double seconds = std::max(seconds_since(began_), 1e-9);
    std::int64_t done = step - first_step_;
    Progress progress{phase, step,        total_steps_, "steps", static_cast<double>(tokens_) / seconds,
                      -1,    memory_gib()};
    if (done > 0)
        progress.eta_seconds = seconds / static_cast<double>(done) * static_cast<double>(total_steps_ - step);
    return progress;
}

double ProgressMeter::seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

} // namespace tempera
