#include "core/stats/health.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>

namespace tempera {

namespace {

using Points = std::vector<MetricPoint>;

std::string shown(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3g", value);
    return text;
}

const Points& points_of(const MetricHistory& history, const std::string& name) {
    static const Points none;
    auto found = history.find(name);
    return found == history.end() ? none : found->second;
}

std::size_t window_of(const Points& points) {
    return std::clamp<std::size_t>(points.size() / 4, 4, 20);
}

double mean(Points::const_iterator begin, Points::const_iterator end) {
    double sum = 0;
    for (auto p = begin; p != end; ++p)
        sum += p->value;
    return sum / static_cast<double>(end - begin);
}

/// First and last window of a metric, and the noise of a window's mean.
struct Trend {
    double first = 0, last = 0, noise = 0;
};
std::optional<Trend> trend_of(const Points& points) {
    const auto window = static_cast<std::ptrdiff_t>(window_of(points));
    if (std::ssize(points) < 2 * window) return std::nullopt;
    Trend trend{mean(points.begin(), points.begin() + window), mean(points.end() - window, points.end()), 0};
    double squares = 0; // of neighbours' differences: noise without the trend
    for (std::size_t i = 1; i < points.size(); ++i)
        squares += std::pow(points[i].value - points[i - 1].value, 2) / 2;
    trend.noise = std::sqrt(squares / static_cast<double>(points.size() - 1) / static_cast<double>(window));
    return trend;
}

double median(std::vector<double> values) {
    auto middle = values.begin() + std::ssize(values) / 2;
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

using Advice = std::optional<std::string>;

Advice not_finite(const MetricHistory& history, const HealthLimits&) {
    for (const auto& [name, points] : history)
        if (!points.empty() && !std::isfinite(points.back().value))
            return name
                   + " is not a finite number: stop the run, lower learning_rate and go on from the "
                     "last checkpoint.";
    return std::nullopt;
}

/// Whether the reward rose, by more than noise, from the points up to `step` (the first behind it where there
/// are too few) to the last ones.
bool rose_since(const Points& reward, std::int64_t step) {
    const auto all = trend_of(reward);
    const auto split = std::ranges::upper_bound(reward, step, {}, &MetricPoint::step);
    constexpr std::ptrdiff_t few = 4;
    if (!all || reward.end() - split < 2 * few) return false;
    const auto from = split - reward.begin() >= few ? split - few : split;
    const auto window = std::min(static_cast<std::ptrdiff_t>(window_of(reward)), reward.end() - split - few);
    const double rise = mean(reward.end() - window, reward.end()) - mean(from, from + few);
    const double noise = all->noise * std::sqrt(static_cast<double>(window_of(reward)) / few);
    return rise > 0 && (rise > 2 * noise || rise > 0.02);
}

/// Whether the reward rose over the evaluations in which the score fell.
bool rises_within(const Points& reward, std::int64_t step) {
    Points since;
    for (const MetricPoint& point : reward)
        if (point.step > step) since.push_back(point);
    const auto all = trend_of(reward);
    if (since.size() < 2 || !all) return false;
    const auto half = since.begin() + std::ssize(since) / 2;
    const double rise = mean(half, since.end()) - mean(since.begin(), half);
    return rise > 0 && (rise > 2 * all->noise || rise > 0.02);
}

/// Whether a score fell by more than chance, or by `least` where nobody knows how many answers it is of.
bool fell(double from, double to, double least, const HealthLimits& limits) {
    constexpr double sure = 3.3; // 3 lets one run of ten that stands still look gamed in 20 evaluations
    if (limits.eval_prompts <= 0) return to <= from - least;
    return fall_in_deviations(from, to, limits.eval_prompts) > sure;
}

Advice reward_hacking(const MetricHistory& history, const HealthLimits& limits) {
    const Points &score = points_of(history, "eval_score"), &reward = points_of(history, "reward");
    if (score.size() < 3) return std::nullopt;
    const auto last = score.end() - 1;
    const auto best = std::ranges::max_element(score, {}, &MetricPoint::value);
    const bool falls = last->value < (last - 1)->value && (last - 1)->value < (last - 2)->value;
    const double recent = std::max(last->value, (last - 1)->value);
    const bool gone = recent < best->value / 2 && fell(best->value, recent, 0.1, limits);
    const bool slow =
        falls && fell(best->value, last->value, 0.05, limits) && rises_within(reward, (last - 2)->step);
    if (!slow && !(gone && rose_since(reward, best->step))) return std::nullopt;
    return "The reward still rises but the held-out score fell from " + shown(best->value) + " to "
           + shown(last->value)
           + ": the reward is being gamed; go back to the best checkpoint, raise kl_coef, or add a verifier "
             "to rewards.";
}

Advice kl_limit(const MetricHistory& history, const HealthLimits& limits) {
    const Points& kl = points_of(history, "kl_sum");
    if (limits.kl <= 0 || kl.size() < 2) return std::nullopt;
    if (kl.back().value <= limits.kl || (kl.end() - 2)->value <= limits.kl) return std::nullopt;
    return "A completion is " + shown(kl.back().value)
           + " nats from the reference on average, above the limit of " + shown(limits.kl)
           + ": raise kl_coef or lower learning_rate.";
}

Advice entropy(const MetricHistory& history, const HealthLimits&) {
    const Points& points = points_of(history, "entropy");
    const auto trend = trend_of(points);
    if (!trend || !points_of(history, "reward").size()) return std::nullopt;
    if (trend->last >= 0.1 * trend->first && trend->last >= 0.001) return std::nullopt;
    return "The entropy fell from " + shown(trend->first) + " to " + shown(trend->last)
           + " nats a token: completions of a prompt are nearly alike and teach little; raise temperature or "
             "kl_coef, or lower learning_rate.";
}

/// Whether a share was 1 in so many logs in a row, the newest among them.
bool stays_whole(const Points& points, std::size_t logs) {
    return points.size() >= logs
           && std::all_of(points.end() - static_cast<std::ptrdiff_t>(logs), points.end(),
                          [](const MetricPoint& point) { return point.value >= 1; });
}

Advice no_variance(const MetricHistory& history, const HealthLimits&) {
    const Points& masked = points_of(history, "completions/masked_ratio");
    if (!stays_whole(points_of(history, "frac_reward_alike"), 3) || stays_whole(masked, 1))
        return std::nullopt;
    return "In every group all completions got the same reward, so nothing is learnt: choose prompts that "
           "are neither too hard nor too easy, a finer reward, a larger k or a higher temperature.";
}

Advice all_masked(const MetricHistory& history, const HealthLimits&) {
    if (!stays_whole(points_of(history, "completions/masked_ratio"), 2)) return std::nullopt;
    return "Every completion of a step is masked, so nothing is learnt: where they are cut at the longest "
           "length, raise max_tokens or switch mask_truncated off; where they have no reward, look at what "
           "the rewards say of them.";
}

Advice length(const MetricHistory& history, const HealthLimits& limits) {
    const auto tokens = trend_of(points_of(history, "completions/mean_length"));
    const auto reward = trend_of(points_of(history, "reward"));
    if (!tokens) return std::nullopt;
    if (limits.max_tokens > 0 && tokens->last > 0.95 * limits.max_tokens
        && tokens->first <= 0.95 * limits.max_tokens)
        return "Completions have grown to " + shown(tokens->last)
               + " tokens and hit the longest length: raise max_tokens, or add length or missing_eos_penalty "
                 "to the reward.";
    if (!reward || tokens->last < 1.5 * tokens->first) return std::nullopt;
    if (reward->last - reward->first > 2 * reward->noise) return std::nullopt;
    return "Completions grew from " + shown(tokens->first) + " to " + shown(tokens->last)
           + " tokens without a better reward: add the reward length with a small weight.";
}

Advice gradient(const MetricHistory& history, const HealthLimits& limits) {
    const Points& points = points_of(history, "grad_norm");
    const std::size_t window = window_of(points);
    if (points.size() <= window) return std::nullopt;
    std::vector<double> before;
    for (auto p = points.end() - 1 - static_cast<std::ptrdiff_t>(window); p != points.end() - 1; ++p)
        before.push_back(p->value);
    const double usual = median(before);
    const double newest = points.back().value; // what is not even cut does no harm
    if (usual <= 0 || newest <= 10 * usual || newest <= limits.max_grad_norm) return std::nullopt;
    return "The gradient's norm jumped to " + shown(newest) + " from about " + shown(usual)
           + ": look at the prompts of this step, and lower learning_rate or max_grad_norm if it comes back.";
}

Advice loss_rising(const MetricHistory& history, const HealthLimits&) {
    const Points& points = points_of(history, "eval_loss");
    if (points.size() < 5) return std::nullopt;
    for (auto p = points.end() - 4; p != points.end(); ++p)
        if (p->value <= (p - 1)->value) return std::nullopt;
    const double before = (points.end() - 5)->value;
    if (points.back().value <= before + 0.05 * std::abs(before)) return std::nullopt;
    return "eval_loss rose four times in a row, to " + shown(points.back().value)
           + ": the model overfits; stop here, or train fewer epochs with patience set.";
}

struct Rule {
    const char* name;
    Advice (*check)(const MetricHistory&, const HealthLimits&);
};
constexpr Rule rules[] = {{"not_finite", not_finite},   {"reward_hacking", reward_hacking},
                          {"kl_limit", kl_limit},       {"entropy", entropy},
                          {"no_variance", no_variance}, {"all_masked", all_masked},
                          {"length", length},           {"gradient", gradient},
                          {"loss_rising", loss_rising}};

} // namespace

double fall_in_deviations(double from, double to, double count) {
    from = std::clamp(from, 0.0, 1.0), to = std::clamp(to, 0.0, 1.0);
    if (to >= from) return 0;
    const double middle = (from + to) / 2;
    const auto part = [](double share, double expected) {
        return share > 0 ? share * std::log(share / expected) : 0;
    };
    double ratio = 0; // log-likelihood, of one answer on either side
    for (const double share : {from, to})
        ratio += part(share, middle) + part(1 - share, 1 - middle);
    return std::sqrt(std::max(0.0, 2 * count * ratio));
}

std::vector<HealthFinding> check_health(const MetricHistory& history, const HealthLimits& limits) {
    std::vector<HealthFinding> findings;
    for (const Rule& rule : rules)
        if (auto advice = rule.check(history, limits)) findings.push_back({rule.name, std::move(*advice)});
    return findings;
}

void HealthWatch::restore(MetricHistory history) {
    history_ = std::move(history);
    for (const HealthFinding& finding : check_health(history_, limits_))
        told_.insert(finding.rule);
}

std::vector<HealthFinding> HealthWatch::add(std::int64_t step, std::span<const Metric> metrics) {
    for (const Metric& metric : metrics)
        history_[metric.name].push_back({step, metric.value});
    std::vector<HealthFinding> fresh;
    for (HealthFinding& finding : check_health(history_, limits_))
        if (told_.insert(finding.rule).second) fresh.push_back(std::move(finding));
    return fresh;
}

} // namespace tempera
