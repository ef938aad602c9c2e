#include "core/engine/train/reward_step.h"

#include "core/engine/reward/reward_model.h"
#include "core/stats/calibration.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace tempera {

namespace {

/// Scores of a pass, in the order they came: what its metrics are made of.
struct Scores {
    std::vector<double> chosen;   ///< regression: all
    std::vector<double> rejected; ///< of the first of `chosen`
    double loss = 0;              ///< their sum

    /// The last `pairs` values are the rejected texts'.
    void add(const at::Tensor& values, std::size_t pairs) {
        at::Tensor flat = values.detach().to(at::kCPU, at::kDouble).contiguous();
        const double* data = flat.const_data_ptr<double>();
        const auto n = static_cast<std::size_t>(flat.numel()), half = n - pairs;
        chosen.insert(chosen.end(), data, data + half);
        rejected.insert(rejected.end(), data + half, data + n);
    }
};

double mean_of(const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

std::vector<double> margins_of(const Scores& scores) {
    std::vector<double> margins;
    for (std::size_t i = 0; i < scores.rejected.size(); ++i)
        margins.push_back(scores.chosen[i] - scores.rejected[i]);
    return margins;
}

/// TRL's names and definitions; accuracy counts a tie as wrong.
std::vector<Metric> metrics_of(const Scores& scores, double loss, const std::string& prefix) {
    std::vector<Metric> list{{prefix + "loss", loss}};
    std::vector<double> all = scores.chosen, margins = margins_of(scores);
    all.insert(all.end(), scores.rejected.begin(), scores.rejected.end());
    if (!margins.empty()) {
        auto right = std::count_if(margins.begin(), margins.end(), [](double m) { return m > 0; });
        list.push_back(
            {prefix + "accuracy", static_cast<double>(right) / static_cast<double>(margins.size())});
        list.push_back({prefix + "margin", mean_of(margins)});
    }
    auto [low, high] = std::minmax_element(all.begin(), all.end());
    list.push_back({prefix + "min_reward", *low});
    list.push_back({prefix + "mean_reward", mean_of(all)});
    list.push_back({prefix + "max_reward", *high});
    return list;
}

/// Sum of the losses of the examples whose scores these are: all chosen, then all rejected.
at::Tensor loss_of(const at::Tensor& scores, const std::vector<double>& targets, bool paired,
                   double center_rewards) {
    at::Tensor target = at::tensor(targets, at::kFloat).to(scores.device());
    if (!paired) return (scores - target).square().sum();
    const auto n = static_cast<std::int64_t>(targets.size());
    at::Tensor chosen = scores.narrow(0, 0, n), rejected = scores.narrow(0, n, n);
    at::Tensor loss = -at::log_sigmoid(chosen - rejected - target).sum();
    if (center_rewards > 0) loss = loss + center_rewards * (chosen + rejected).square().sum();
    return loss;
}

std::size_t longest_of(const RewardExample& example) {
    std::size_t longest = 0;
    for (const EncoderInput* text : example.texts)
        longest = std::max(longest, text->ids.size());
    return longest;
}

/// Places in `rows` grouped by length, as group_by_length(); the texts of an example stay together.
std::vector<std::vector<std::size_t>> groups_of(const std::vector<RewardExample>& examples,
                                                const std::vector<std::int64_t>& rows,
                                                std::int64_t max_tokens) {
    auto example = [&](std::size_t place) -> const RewardExample& {
        return examples[static_cast<std::size_t>(rows[place])];
    };
    std::vector<std::size_t> order(rows.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return longest_of(example(a)) > longest_of(example(b));
    });
    std::vector<std::vector<std::size_t>> groups;
    for (std::size_t place : order) {
        const std::size_t texts = example(place).texts.size();
        if (groups.empty()
            || static_cast<std::int64_t>((groups.back().size() + 1) * texts
                                         * longest_of(example(groups.back()[0])))
                   > max_tokens)
            groups.emplace_back();
        groups.back().push_back(place);
    }
    return groups;
}

/// What is computed at once: the first texts of all examples, then the second ones.
struct RewardMicroBatch {
    std::vector<const EncoderInput*> texts;
    std::vector<std::int64_t> streams;
    std::vector<double> targets;
    std::vector<std::int64_t> rows;
    bool paired = false;
};

RewardMicroBatch make_micro_batch(const std::vector<RewardExample>& examples,
                                  const std::vector<std::int64_t>& chosen,
                                  const std::vector<std::size_t>& group, std::int64_t first_stream) {
    RewardMicroBatch micro;
    for (std::size_t side = 0; side < 2; ++side)
        for (std::size_t place : group) {
            const RewardExample& example = examples[static_cast<std::size_t>(chosen[place])];
            if (side >= example.texts.size()) continue;
            micro.texts.push_back(example.texts[side]);
            micro.streams.push_back(first_stream + static_cast<std::int64_t>(2 * place + side));
            if (side == 1) {
                micro.paired = true;
                continue;
            }
            micro.targets.push_back(example.target);
            micro.rows.push_back(example.row);
        }
    return micro;
}

} // namespace

std::vector<RewardExample> reward_examples(const std::vector<RewardPair>& pairs, bool regression) {
    std::vector<RewardExample> examples;
    for (const RewardPair& pair : pairs) {
        if (!regression) {
            examples.push_back({{&pair.chosen, &*pair.rejected}, pair.margin, pair.row});
            continue;
        }
        examples.push_back({{&pair.chosen}, *pair.score_chosen, pair.row});
        if (pair.rejected) examples.push_back({{&*pair.rejected}, *pair.score_rejected, pair.row});
    }
    return examples;
}

RewardPassResult accumulate_reward_gradients(const RewardPassContext& context,
                                             const std::vector<RewardExample>& examples,
                                             const std::vector<std::int64_t>& chosen,
                                             std::int64_t first_stream, const StopToken& stop) {
    RewardPassResult result;
    Scores scores;
    const double share = 1 / static_cast<double>(chosen.size());
    for (const auto& group : groups_of(examples, chosen, context.micro_batch_tokens)) {
        if (stop.requested() == StopRequest::cancel) {
            result.cancelled = true;
            return result;
        }
        RewardMicroBatch micro = make_micro_batch(examples, chosen, group, first_stream);
        EncoderBatch batch =
            make_encoder_batch(micro.texts, context.model.config.pad_id, micro.streams, context.device);
        at::Tensor values = encoder_scores(context.model, batch, context.dropout);
        at::Tensor loss = loss_of(values, micro.targets, micro.paired, context.center_rewards) * share;
        const auto value = static_cast<double>(loss.item<float>());
        if (!std::isfinite(value)) {
            result.bad_rows = micro.rows;
            return result;
        }
        loss.backward();
        scores.add(values, micro.paired ? micro.targets.size() : 0);
        scores.loss += value;
        for (const EncoderInput* text : micro.texts)
            result.tokens += static_cast<std::int64_t>(text->ids.size());
    }
    result.means = metrics_of(scores, scores.loss, "");
    return result;
}

std::optional<std::vector<Metric>> evaluate_reward(const RewardPassContext& context,
                                                   const std::vector<RewardPair>& pairs, bool regression,
                                                   const StopToken& stop) {
    constexpr std::size_t at_once = 64;
    Scores scores;
    std::vector<double> given, found;
    for (std::size_t begin = 0; begin < pairs.size(); begin += at_once) {
        if (stop.requested() == StopRequest::cancel) return std::nullopt;
        std::span part(pairs.begin() + static_cast<std::ptrdiff_t>(begin),
                       std::min(at_once, pairs.size() - begin));
        std::vector<EncoderInput> texts;
        for (const RewardPair& pair : part)
            texts.push_back(pair.chosen);
        for (const RewardPair& pair : part)
            if (pair.rejected) texts.push_back(*pair.rejected);
        const std::size_t paired = texts.size() - part.size();
        auto values = score_inputs(context.model, texts, context.micro_batch_tokens, context.device);
        at::Tensor tensor = at::tensor(values, at::kFloat);
        scores.add(tensor, paired);
        std::vector<double> targets, margins;
        for (const RewardPair& pair : part)
            margins.push_back(pair.margin);
        for (bool second : {false, true})
            for (std::size_t i = 0; i < part.size(); ++i)
                if (auto score = second ? part[i].score_rejected : part[i].score_chosen) {
                    targets.push_back(*score);
                    given.push_back(*score);
                    found.push_back(values[i + (second ? part.size() : 0)]);
                }
        scores.loss += static_cast<double>(
            loss_of(tensor, regression ? targets : margins, !regression, context.center_rewards)
                .item<float>());
    }
    const std::size_t count = scores.chosen.size() + (regression ? scores.rejected.size() : 0);
    auto metrics = metrics_of(scores, scores.loss / static_cast<double>(count), "eval_");
    if (!scores.rejected.empty())
        metrics.push_back({"eval_calibration_error", expected_calibration_error(margins_of(scores))});
    if (double r = correlation(found, given); std::isfinite(r))
        metrics.push_back({"eval_score_correlation", r});
    return metrics;
}

} // namespace tempera
