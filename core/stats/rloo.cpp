#include "core/stats/rloo.h"

#include "core/base/error.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

namespace tempera {

namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

double difference_at(std::span<const float> a, std::span<const float> b, std::size_t t) {
    return static_cast<double>(a[t]) - static_cast<double>(b[t]);
}

/// torch.isclose(deviation, 0): |deviation| <= 1e-8. Rewards that are not there do not count; none at all are
/// not alike.
bool alike(std::span<const double> rewards) {
    return mean_and_deviation(rewards).deviation <= 1e-8;
}

struct Clipped {
    double loss = 0;
    double slope = 0; ///< d(loss)/d(log ratio)
    bool low = false;
    bool high = false;
};

Clipped clipped_objective(double log_ratio, double advantage, const PolicyObjective& o) {
    const double ratio = std::exp(log_ratio);
    Clipped c;
    c.low = ratio < 1 - o.clip_low && advantage < 0;
    c.high = ratio > 1 + o.clip_high && advantage > 0;
    const double bounded = std::clamp(ratio, 1 - o.clip_low, 1 + o.clip_high);
    c.loss = -std::min(ratio * advantage, bounded * advantage);
    c.slope = c.low || c.high ? 0 : -ratio * advantage;
    return c;
}

} // namespace

KlEstimator kl_estimator_from(std::string_view name) {
    if (name == "k1") return KlEstimator::k1;
    if (name == "k2") return KlEstimator::k2;
    if (name == "k3") return KlEstimator::k3;
    fail(ErrorKind::bad_input,
         "There is no KL estimator \"" + std::string(name) + "\": choose k1, k2 or k3.");
}

double kl_estimate(KlEstimator estimator, double d) {
    switch (estimator) {
    case KlEstimator::k1:
        return d;
    case KlEstimator::k2:
        return d * d / 2;
    case KlEstimator::k3:
        return std::expm1(-d) + d;
    }
    return d;
}

double kl_slope(KlEstimator estimator, double d) {
    switch (estimator) {
    case KlEstimator::k1:
        return 1;
    case KlEstimator::k2:
        return d;
    case KlEstimator::k3:
        return -std::expm1(-d);
    }
    return 1;
}

double kl_of_sequence(KlEstimator estimator, std::span<const float> logprobs,
                      std::span<const float> ref_logprobs) {
    double sum = 0;
    for (std::size_t t = 0; t < ref_logprobs.size(); ++t)
        sum += kl_estimate(estimator, difference_at(logprobs, ref_logprobs, t));
    return sum;
}

MeanAndDeviation mean_and_deviation(std::span<const double> values) {
    double sum = 0, count = 0;
    for (double v : values)
        if (!std::isnan(v)) sum += v, ++count;
    if (count == 0) return {nothing, nothing};
    MeanAndDeviation result{sum / count, 0};
    double squares = 0;
    for (double v : values)
        if (!std::isnan(v)) squares += (v - result.mean) * (v - result.mean);
    if (count > 1) result.deviation = std::sqrt(squares / (count - 1));
    return result;
}

std::vector<double> shape_rewards(std::span<const std::vector<double>> rewards, const std::vector<bool>& cut,
                                  const RewardShaping& shaping) {
    std::vector<double> shaped(cut.size(), nothing);
    for (std::size_t i = 0; i < cut.size(); ++i) {
        for (std::size_t f = 0; f < rewards.size(); ++f) {
            const double value = rewards[f][i];
            if (std::isnan(value)) continue;
            shaped[i] = (std::isnan(shaped[i]) ? 0 : shaped[i]) + shaping.weights[f] * value;
        }
        if (cut[i]) shaped[i] -= shaping.missing_eos_penalty;
    }
    if (shaping.normalise) {
        const MeanAndDeviation all = mean_and_deviation(shaped);
        for (double& r : shaped)
            r = (r - all.mean) / (all.deviation + 1e-8);
    }
    if (shaping.clip > 0)
        for (double& r : shaped)
            if (!std::isnan(r)) r = std::clamp(r, -shaping.clip, shaping.clip);
    return shaped;
}

std::vector<double> rewards_after_kl(std::span<const double> rewards, std::span<const MeasuredKl> divergences,
                                     std::int64_t k, double kl_coef) {
    std::vector<double> left(rewards.begin(), rewards.end());
    const auto size = static_cast<std::size_t>(k);
    for (std::size_t begin = 0; begin < left.size(); begin += size) {
        const std::span group = divergences.subspan(begin, size);
        const auto [low, high] = std::ranges::minmax(group, {}, &MeasuredKl::kl);
        const double rounding = std::ranges::max(group, {}, &MeasuredKl::rounding).rounding;
        const double mean = mean_and_deviation(rewards.subspan(begin, size)).mean;
        const bool same = alike(rewards.subspan(begin, size)) && high.kl - low.kl <= rounding;
        for (std::size_t i = begin; i < begin + size; ++i)
            if (!same)
                left[i] -= kl_coef * divergences[i].kl;
            else if (!std::isnan(left[i]))
                left[i] = mean - kl_coef * low.kl;
    }
    return left;
}

std::int64_t groups_alike(std::span<const double> rewards, std::int64_t k) {
    const auto size = static_cast<std::size_t>(k);
    std::int64_t count = 0;
    for (std::size_t begin = 0; begin < rewards.size(); begin += size)
        count += alike(rewards.subspan(begin, size)) ? 1 : 0;
    return count;
}

Advantages leave_one_out(std::span<const double> rewards, std::int64_t k, bool normalise, double epsilon) {
    const auto size = static_cast<std::size_t>(std::max<std::int64_t>(k, 1));
    if (k < 2 || rewards.size() % size != 0)
        fail(ErrorKind::internal, "Leave-one-out needs groups of two or more, all complete.");
    Advantages result;
    result.groups = static_cast<std::int64_t>(rewards.size() / size);
    for (std::size_t begin = 0; begin < rewards.size(); begin += size) {
        std::span<const double> group = rewards.subspan(begin, size);
        double sum = 0, count = 0;
        for (double r : group)
            if (!std::isnan(r)) sum += r, ++count;
        const bool equal = std::ranges::all_of(group, [&](double r) { return r == group.front(); });
        for (double r : group) {
            const bool alone = std::isnan(r) || count < 2;
            // Equal numbers, added up, are not exactly a multiple of one.
            result.baselines.push_back(alone ? nothing : equal ? r : (sum - r) / (count - 1));
            result.advantages.push_back(alone ? nothing : r - result.baselines.back());
        }
    }
    result.groups_without_variance = groups_alike(rewards, k);
    if (normalise) {
        const MeanAndDeviation all = mean_and_deviation(result.advantages);
        for (double& a : result.advantages)
            a = (a - all.mean) / (all.deviation + epsilon);
    }
    for (double& a : result.advantages)
        if (std::isnan(a)) a = 0;
    return result;
}

ObjectiveTerms policy_terms(std::span<const float> logprobs, std::span<const float> old_logprobs,
                            std::span<const float> ref_logprobs, double advantage,
                            const PolicyObjective& objective) {
    ObjectiveTerms terms;
    const std::size_t n = logprobs.size();
    terms.d_logprob.assign(n, 0);
    if (objective.token_ratio) {
        double ratios = 0;
        for (std::size_t t = 0; t < n; ++t) {
            const double log_ratio = difference_at(logprobs, old_logprobs, t);
            const Clipped c = clipped_objective(log_ratio, advantage, objective);
            terms.loss += c.loss;
            terms.d_logprob[t] = c.slope;
            ratios += std::exp(log_ratio);
            terms.clipped_low += c.low ? 1 : 0;
            terms.clipped_high += c.high ? 1 : 0;
        }
        const double tokens = std::max<double>(1, static_cast<double>(n));
        terms.ratio = n ? ratios / tokens : 1;
        terms.clipped_low /= tokens;
        terms.clipped_high /= tokens;
    } else {
        double log_ratio = 0;
        for (std::size_t t = 0; t < n; ++t)
            log_ratio += difference_at(logprobs, old_logprobs, t);
        const Clipped c = clipped_objective(log_ratio, advantage, objective);
        terms.loss = c.loss;
        std::fill(terms.d_logprob.begin(), terms.d_logprob.end(), c.slope);
        terms.ratio = std::exp(log_ratio);
        terms.clipped_low = c.low;
        terms.clipped_high = c.high;
    }
    if (objective.kl_coef > 0)
        for (std::size_t t = 0; t < ref_logprobs.size(); ++t) {
            const double d = difference_at(logprobs, ref_logprobs, t);
            terms.loss += objective.kl_coef * kl_estimate(objective.estimator, d);
            terms.d_logprob[t] += objective.kl_coef * kl_slope(objective.estimator, d);
        }
    return terms;
}

} // namespace tempera
