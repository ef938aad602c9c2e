#include "core/engine/train/progress_meter.h"

#include "core/engine/train/machine.h"

#include <algorithm>

namespace tempera {

ProgressMeter::ProgressMeter(std::int64_t first_step, std::int64_t total_steps, const MeterSums& since_log)
    : first_step_(first_step), total_steps_(total_steps), began_(Clock::now()), sums_(since_log) {}

void ProgressMeter::add_step(double loss, double entropy, double accuracy, std::int64_t tokens,
                             double seconds) {
    interval_seconds_ += seconds;
    sums_.loss += loss;
    sums_.entropy += entropy;
    sums_.accuracy += accuracy;
    tokens_ += tokens;
    interval_tokens_ += tokens;
    ++sums_.steps;
}

std::vector<Metric> ProgressMeter::take_metrics(double gradient_norm, double learning_rate,
                                                std::int64_t num_tokens, double epoch) {
    auto steps = static_cast<double>(std::max<std::int64_t>(sums_.steps, 1));
    double seconds = std::max(interval_seconds_, 1e-9);
    std::vector<Metric> metrics{{"loss", sums_.loss / steps},
                                {"grad_norm", gradient_norm},
                                {"learning_rate", learning_rate},
                                {"entropy", sums_.entropy / steps},
                                {"mean_token_accuracy", sums_.accuracy / steps},
                                {"num_tokens", static_cast<double>(num_tokens)},
                                {"epoch", epoch},
                                {"tokens_per_second", static_cast<double>(interval_tokens_) / seconds},
                                {"memory_gib", memory_gib()}};
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
