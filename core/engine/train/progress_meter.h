#pragma once

#include "core/store/records.h"

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tempera {

/// What the steps since the last log measured of a metric; a NaN does not count.
struct MeterSum {
    std::string name;
    double sum = 0;
    std::int64_t count = 0;
};
using MeterSums = std::vector<MeterSum>;

/// Collects what the steps since the last log measured, and foretells the end of a run.
class ProgressMeter {
public:
    using Clock = std::chrono::steady_clock;

    ProgressMeter(std::int64_t first_step, std::int64_t total_steps, const MeterSums& since_log);

    /// `means` are the step's own values. `seconds` of the step alone: evaluations and checkpoints do not
    /// count in tokens_per_second.
    void add_step(std::span<const Metric> means, std::int64_t tokens, double seconds);
    /// The means over the steps since the last log, in the order they were first added; then grad_norm,
    /// learning_rate, num_tokens, epoch, tokens_per_second, memory_gib. The next interval begins.
    std::vector<Metric> take_metrics(double gradient_norm, double learning_rate, std::int64_t num_tokens,
                                     double epoch);
    Progress progress(const std::string& phase, std::int64_t step) const;

    const MeterSums& since_log() const { return sums_; }
    static double seconds_since(Clock::time_point begin);

private:
    std::int64_t first_step_, total_steps_;
    Clock::time_point began_;
    std::int64_t tokens_ = 0; ///< of the whole session
    std::int64_t interval_tokens_ = 0;
    double interval_seconds_ = 0;
    MeterSums sums_;
};

} // namespace tempera
