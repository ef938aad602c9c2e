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
    double eval_prompts = 0;  ///< behind every "eval_score", each scored 0 to 1; 0 = unknown
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
///                  fell two evaluations in a row and stands clearly below its best; or "reward" rose since
///                  the best evaluation, while the last two are below half of it, and clearly. Clearly is
///                  what limits.eval_prompts answers hardly do by chance (fall_in_deviations() above 3.3: of
///                  runs that stand still one in thirty at most in 20 evaluations); where their number is
///                  unknown, 0.05 and 0.1
///  kl_limit        "kl_sum" is above limits.kl in two logs in a row
///  entropy         "entropy" over the last window is below a tenth of what it began with, or below 0.001
///  no_variance     "frac_reward_alike" was 1 in three logs in a row: no reward told completions apart
///  all_masked      "completions/masked_ratio" was 1 in two logs in a row: no completion was learnt from
///  length          "completions/mean_length" has grown by more than half since the start while "reward" did
///                  not rise by more than its noise; or is within 5 % of max_tokens
///  gradient        the newest "grad_norm" is more than ten times the median of the window before it, and
///                  above limits.max_grad_norm
///  loss_rising     "eval_loss" rose four evaluations in a row, by more than 5 % in all (SFT and DPO)
/// A rule whose metrics are not there stays silent.
std::vector<HealthFinding> check_health(const MetricHistory& history, const HealthLimits& limits);

/// How far the mean of `count` scores, each from 0 to 1, fell from `from` to `to` of as many others, in
/// standard deviations of chance: the root of twice the binomial log-likelihood ratio, which is exact for
/// scores of 0 and 1 and too small for others. 0 where it did not fall.
double fall_in_deviations(double from, double to, double count);

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
