#include "core/engine/train/dpo_step.h"

#include "core/engine/model/forward.h"
#include "core/engine/train/batches.h"
#include "core/engine/train/reference.h"

#include <c10/core/GradMode.h>
#include <cmath>
#include <numeric>

namespace tempera {

namespace {

/// Sums over a batch's pairs, and over the tokens of their answers.
struct DpoSums {
    double pairs = 0, loss = 0, reward_chosen = 0, reward_rejected = 0, wins = 0;
    double logp_chosen = 0, logp_rejected = 0;
    double tokens_chosen = 0, tokens_rejected = 0, entropy = 0, correct = 0;
    double logit_chosen = 0, logit_rejected = 0;
};

std::vector<Metric> metrics_of(const DpoSums& s) {
    auto over = [](double sum, double count) { return count > 0 ? sum / count : 0; };
    return {{"entropy", over(s.entropy, s.tokens_chosen + s.tokens_rejected)},
            {"mean_token_accuracy", over(s.correct, s.tokens_chosen)},
            {"logits/chosen", over(s.logit_chosen, s.tokens_chosen)},
            {"logits/rejected", over(s.logit_rejected, s.tokens_rejected)},
            {"rewards/chosen", over(s.reward_chosen, s.pairs)},
            {"rewards/rejected", over(s.reward_rejected, s.pairs)},
            {"rewards/accuracies", over(s.wins, s.pairs)},
            {"rewards/margins", over(s.reward_chosen - s.reward_rejected, s.pairs)},
            {"logps/chosen", over(s.logp_chosen, s.pairs)},
            {"logps/rejected", over(s.logp_rejected, s.pairs)}};
}

void add_tokens(DpoSums& sums, const PairBatch& micro, const TokenStatistics& statistics) {
    at::Tensor entropy = statistics.entropy.to(at::kCPU, at::kDouble),
               correct = statistics.correct.to(at::kCPU, at::kDouble),
               logit = statistics.mean_logit.to(at::kCPU, at::kDouble);
    const auto& bounds = micro.branched.target_bounds;
    sums.entropy += entropy.sum().item<double>();
    for (std::size_t c = 0; c + 1 < bounds.size(); ++c) {
        std::int64_t begin = bounds[c], count = bounds[c + 1] - begin;
        const bool chosen = c % 2 == 0;
        (chosen ? sums.tokens_chosen : sums.tokens_rejected) += static_cast<double>(count);
        (chosen ? sums.logit_chosen : sums.logit_rejected) +=
            logit.narrow(0, begin, count).sum().item<double>();
        if (chosen) sums.correct += correct.narrow(0, begin, count).sum().item<double>();
    }
}

void add_pair(DpoSums& sums, const PairLoss& pair, const PairLogprobs& policy) {
    sums.pairs += 1;
    sums.loss += pair.loss;
    sums.reward_chosen += pair.reward_chosen;
    sums.reward_rejected += pair.reward_rejected;
    sums.wins += pair.reward_chosen > pair.reward_rejected;
    sums.logp_chosen += policy.chosen;
    sums.logp_rejected += policy.rejected;
}

std::vector<PairLoss> losses_of(const PairBatch& micro, const std::vector<PairExample>& examples,
                                const std::vector<PairLogprobs>& policy, const ReferenceLogprobs& reference,
                                const DpoLoss& loss, DpoSums& sums) {
    std::vector<PairLoss> pairs;
    for (std::size_t k = 0; k < micro.rows.size(); ++k) {
        auto row = static_cast<std::size_t>(micro.rows[k]);
        const PairExample& example = examples[row];
        pairs.push_back(pair_loss(loss, policy[k], reference.values[row],
                                  static_cast<std::int64_t>(example.chosen.size()),
                                  static_cast<std::int64_t>(example.rejected.size())));
        add_pair(sums, pairs.back(), policy[k]);
    }
    return pairs;
}

/// d loss / d log p of every target.
at::Tensor gradient_of_targets(const PairBatch& micro, const std::vector<PairLoss>& pairs, double scale) {
    const auto& bounds = micro.branched.target_bounds;
    at::Tensor gradient = at::empty({bounds.back()}, at::kFloat);
    for (std::size_t c = 0; c + 1 < bounds.size(); ++c) {
        const PairLoss& pair = pairs[c / 2];
        gradient.narrow(0, bounds[c], bounds[c + 1] - bounds[c])
            .fill_(scale * (c % 2 == 0 ? pair.d_chosen : pair.d_rejected));
    }
    return gradient;
}

void add_mean(std::vector<Metric>& means, const std::vector<Metric>& batch, double weight) {
    if (means.empty())
        for (const Metric& metric : batch)
            means.push_back({metric.name, 0});
    for (std::size_t k = 0; k < batch.size(); ++k)
        means[k].value += batch[k].value * weight;
}

} // namespace

std::vector<PairBatch> make_pair_batches(const std::vector<PairExample>& examples,
                                         const std::vector<std::int64_t>& rows, std::int64_t max_tokens,
                                         std::int64_t first_stream, at::Device device) {
    std::vector<std::int64_t> lengths;
    for (std::int64_t row : rows)
        lengths.push_back(examples[static_cast<std::size_t>(row)].tokens());
    std::vector<PairBatch> batches;
    for (const auto& group : token_groups(lengths, max_tokens)) {
        PairBatch batch;
        std::vector<PromptBranches> prompts;
        for (std::size_t i : group) {
            const PairExample& example = examples[static_cast<std::size_t>(rows[i])];
            batch.rows.push_back(rows[i]);
            prompts.push_back({example.prompt,
                               {example.chosen, example.rejected},
                               first_stream + 3 * static_cast<std::int64_t>(i)});
        }
        batch.branched = make_branched_row(prompts, device);
        batches.push_back(std::move(batch));
    }
    return batches;
}

at::Tensor branch_logprobs(const PassContext& context, const BranchedRow& branched,
                           const DropoutSource& dropout, TokenStatistics* statistics) {
    at::Tensor hidden = decoder_hidden(context.model, branched.row, context.rope, dropout, branched.wanted,
                                       context.compute_type);
    return token_logprobs(hidden, context.model.lm_head, branched.targets, 1, 256, statistics);
}

std::vector<PairLogprobs> logprob_sums(const PairBatch& batch, const at::Tensor& logprobs) {
    at::Tensor values = logprobs.detach().to(at::kCPU, at::kFloat).contiguous();
    const float* value = values.const_data_ptr<float>();
    const auto& bounds = batch.branched.target_bounds;
    std::vector<PairLogprobs> sums(batch.rows.size());
    for (std::size_t c = 0; c + 1 < bounds.size(); ++c) {
        double sum = 0;
        for (std::int64_t t = bounds[c]; t < bounds[c + 1]; ++t)
            sum += static_cast<double>(value[t]);
        (c % 2 == 0 ? sums[c / 2].chosen : sums[c / 2].rejected) = sum;
    }
    return sums;
}

DpoPass accumulate_pair_gradients(const PassContext& context, const std::vector<PairExample>& examples,
                                  const ReferenceLogprobs& reference,
                                  const std::vector<std::vector<std::int64_t>>& batches, const DpoLoss& loss,
                                  const DropoutSource& dropout, std::int64_t first_stream,
                                  const StopToken& stop) {
    DpoPass pass;
    const double batch_weight = 1 / static_cast<double>(batches.size());
    for (const auto& batch : batches) {
        DpoSums sums;
        for (const PairBatch& micro : make_pair_batches(examples, batch, context.micro_batch_tokens,
                                                        3 * first_stream, context.device)) {
            if (stop.requested() == StopRequest::cancel) {
                pass.cancelled = true;
                return pass;
            }
            TokenStatistics statistics;
            at::Tensor logprobs = branch_logprobs(context, micro.branched, dropout, &statistics);
            double before = sums.loss;
            auto pairs = losses_of(micro, examples, logprob_sums(micro, logprobs), reference, loss, sums);
            if (!std::isfinite(sums.loss - before)) {
                pass.loss = sums.loss;
                pass.bad_rows = micro.rows;
                return pass;
            }
            double scale = batch_weight / static_cast<double>(batch.size());
            logprobs.backward(
                gradient_of_targets(micro, pairs, scale).to(logprobs.device(), logprobs.scalar_type()));
            add_tokens(sums, micro, statistics);
        }
        for (std::int64_t row : batch)
            pass.tokens += examples[static_cast<std::size_t>(row)].text_tokens();
        pass.loss += sums.loss / sums.pairs * batch_weight;
        add_mean(pass.metrics, metrics_of(sums), batch_weight);
        first_stream += static_cast<std::int64_t>(batch.size());
    }
    return pass;
}

DpoPass evaluate_pairs(const PassContext& context, const std::vector<PairExample>& examples,
                       const ReferenceLogprobs& reference, const DpoLoss& loss, const StopToken& stop) {
    c10::NoGradGuard no_grad;
    DpoPass pass;
    DpoSums sums;
    std::vector<std::int64_t> rows(examples.size());
    std::iota(rows.begin(), rows.end(), std::int64_t{0});
    for (const PairBatch& micro :
         make_pair_batches(examples, rows, context.micro_batch_tokens, 0, context.device)) {
        if (stop.requested() == StopRequest::cancel) {
            pass.cancelled = true;
            return pass;
        }
        TokenStatistics statistics;
        at::Tensor logprobs = branch_logprobs(context, micro.branched, {}, &statistics);
        losses_of(micro, examples, logprob_sums(micro, logprobs), reference, loss, sums);
        add_tokens(sums, micro, statistics);
    }
    pass.loss = sums.loss / sums.pairs;
    pass.metrics = metrics_of(sums);
    return pass;
}

} // namespace tempera
