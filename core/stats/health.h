#pragma once

#include "core/store/records.h"

#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace tempera {

/// What a run has measured so far: every metric's points in step order.
using MetricHistory = std::map<std::string, std::vector<MetricPoint>>;

/// Where the health rules draw their lines.
struct HealthLimits {
    double kl = 0;            ///< largest "kl_sum" (mean divergence of a completion, nats); 0 = off
    double max_tokens = 0;    ///< of a completion; 0 = unknown
    double max_grad_norm = 0; ///< to which gradients are cut; 0 = they are not
};

/// A rule that fired: its name, and a sentence that says what is seen and what to do.
struct HealthFinding {
    std::string rule;
    std::string advice;
};

/// The rules, each a pure function of the history up to now ("window" is a quarter of the logged points, at
/// least 4 and at most 20):
///  not_finite      the newest value of any metric is NaN or infinite
///  reward_hacking  "reward" rose over the last three evaluations by more than its noise, while "eval_score"
///                  fell from its best by more than 0.05 and two evaluations in a row; or "reward" rose since
///                  the best evaluation, while the last two are below half of it and by more than 0.1
///  kl_limit        "kl_sum" is above limits.kl in two logs in a row
///  entropy         "entropy" over the last window is below a tenth of what it began with, or below 0.001
///  no_variance     "frac_reward_alike" was 1 in three logs in a row: no reward told completions apart
///  all_masked      "completions/masked_ratio" was 1 in two logs in a row: no completion was learnt from
///  length          "completions/mean_length" has grown by more than half since the start while "reward" did
///                  not rise by more than its noise; or is within 5 % of max_tokens
///  gradient        the newest "grad_norm" is more than ten times the median of the window before it, and
///  above
///                  limits.max_grad_norm
///  loss_rising     "eval_loss" rose four evaluations in a row, by more than 5 % in all (SFT and DPO)
/// A rule whose metrics are not there stays silent.
std::vector<HealthFinding> check_health(const MetricHistory& history, const HealthLimits& limits);

/// Feeds the rules as a run reports, and tells of every rule once.
class HealthWatch {
public:
    explicit HealthWatch(HealthLimits limits) : limits_(limits) {}

    /// Points of an earlier session, up to the step that the run goes on from. What they show was reported
    /// then.
    void restore(MetricHistory history);
    /// The metrics of a step; returns what fires now for the first time.
    std::vector<HealthFinding> add(std::int64_t step, std::span<const Metric> metrics);

private:
    HealthLimits limits_;
    MetricHistory history_;
    std::set<std::string> told_;
};

} // namespace tempera
