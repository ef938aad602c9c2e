#include "core/engine/train/rloo_step.h"

#include "core/engine/model/forward.h"
#include "core/engine/model/token_scores.h"

#include <algorithm>
#include <c10/core/GradMode.h>
#include <cmath>
#include <limits>

namespace tempera {

namespace {

/// A pass under way.
struct Pass {
    const PassContext& context;
    Rollout& rollout;
    const PolicyChoices& choices;
    const DropoutSource& dropout;
    const double scale; ///< one over what the mean is taken of
    PolicyPass result = {};
    double entropy = 0, ratios = 0, gap = 0;
    std::int64_t scored = 0, completions = 0, compared = 0;
    double low_min = 1;

    std::size_t targets(std::int64_t row) const { return rollout.sample(row).token_ids.size(); }
    std::vector<float>& old_of(std::int64_t row) {
        return rollout.old_logprobs[static_cast<std::size_t>(row)];
    }
    /// Whether every gradient of a row is known before its log-probabilities are: the ratio is 1.
    bool foreseeable(const std::vector<std::int64_t>& rows) {
        return choices.objective.kl_coef == 0
               && std::ranges::all_of(rows, [&](std::int64_t row) { return old_of(row).empty(); });
    }
    void run(const RolloutBatch& batch, bool idle);
    void note(std::int64_t row, std::span<const float> logprobs, const ObjectiveTerms& terms);
};

void Pass::note(std::int64_t row, std::span<const float> logprobs, const ObjectiveTerms& terms) {
    result.loss += terms.loss * scale;
    result.low_mean += terms.clipped_low;
    result.high_mean += terms.clipped_high;
    low_min = std::min(low_min, terms.clipped_low);
    result.high_max = std::max(result.high_max, terms.clipped_high);
    ratios += terms.ratio;
    result.ratio_deviation = std::max(result.ratio_deviation, std::fabs(terms.ratio - 1));
    ++completions;
    const RolloutSample& sample = rollout.sample(row);
    if (sample.logprobs.size() != logprobs.size()) return;
    for (std::size_t t = 0; t < logprobs.size(); ++t) {
        const double distance =
            std::fabs(static_cast<double>(logprobs[t]) - static_cast<double>(sample.logprobs[t]));
        gap += distance;
        result.sampler_gap_max = std::max(result.sampler_gap_max, distance);
    }
    compared += static_cast<std::int64_t>(logprobs.size());
}

void Pass::run(const RolloutBatch& batch, bool idle) {
    c10::AutoGradMode gradients(!idle);
    const BranchedRow& micro = batch.branched;
    at::Tensor hidden = decoder_hidden(context.model, micro.row, context.rope, dropout, micro.wanted,
                                       context.compute_type),
               d_hidden;
    const Linear& head = context.model.lm_head;
    const bool foreseen = foreseeable(batch.completions);
    std::vector<float> d_logprob;
    if (foreseen && !idle)
        for (std::int64_t row : batch.completions)
            d_logprob.insert(d_logprob.end(), targets(row),
                             static_cast<float>(-rollout.sample(row).advantage * scale));
    const TokenScores scores =
        score_tokens(hidden, head, micro.targets, choices.temperature,
                     d_logprob.empty() ? nullptr : &d_logprob, d_logprob.empty() ? nullptr : &d_hidden);
    std::size_t at = 0;
    bool finite = true;
    for (std::int64_t row : batch.completions) {
        const std::span logprobs = std::span(scores.logprobs).subspan(at, targets(row));
        const bool fresh = old_of(row).empty();
        if (fresh) old_of(row).assign(logprobs.begin(), logprobs.end());
        const RolloutSample& sample = rollout.sample(row);
        const ObjectiveTerms terms =
            policy_terms(logprobs, old_of(row), sample.ref_logprobs, sample.advantage, choices.objective);
        finite = finite && std::isfinite(terms.loss);
        note(row, fresh ? logprobs : std::span<const float>(), terms);
        if (!foreseen)
            for (double slope : terms.d_logprob)
                d_logprob.push_back(static_cast<float>(slope * scale));
        at += logprobs.size();
    }
    for (float h : scores.entropies)
        entropy += static_cast<double>(h);
    scored += static_cast<std::int64_t>(scores.entropies.size());
    result.tokens += micro.row.tokens();
    if (!finite) {
        result.bad_completions = batch.completions;
        return;
    }
    if (idle) return;
    if (!foreseen)
        d_hidden = backward_tokens(hidden, head, micro.targets, choices.temperature, scores, d_logprob);
    hidden.backward(d_hidden);
}

} // namespace

PolicyChoices policy_choices(const RlooRecipe& recipe) {
    PolicyChoices choices;
    choices.objective.token_ratio = recipe.ratio_level == "token";
    choices.objective.clip_low = recipe.clip_low;
    choices.objective.clip_high = recipe.clip_high;
    choices.objective.kl_coef = recipe.kl_in == "loss" ? recipe.kl_coef : 0;
    choices.objective.estimator = kl_estimator_from(recipe.kl_estimator);
    choices.temperature = recipe.temperature;
    return choices;
}

PolicyPass accumulate_policy_gradients(const PassContext& context, Rollout& rollout,
                                       const std::vector<PolicyPrompt>& all_prompts,
                                       const PolicyChoices& choices, const DropoutSource& dropout,
                                       std::int64_t first_stream, const StopToken& stop) {
    // A completion without advantage has no gradient: it is only computed for what it tells.
    std::vector<std::int64_t> active, idle;
    std::int64_t tokens = 0;
    double masked_loss = 0;
    for (std::int64_t i = 0; i < rollout.completions(); ++i) {
        const RolloutSample& sample = rollout.sample(i);
        if (sample.masked) {
            masked_loss -= choices.objective.token_ratio ? 0 : sample.advantage; // its ratio is 1
            continue;
        }
        tokens += static_cast<std::int64_t>(sample.token_ids.size());
        (sample.advantage == 0 && choices.objective.kl_coef == 0 ? idle : active).push_back(i);
    }
    const auto all = static_cast<double>(rollout.completions());
    const double scale =
        1 / (choices.objective.token_ratio ? std::max(1.0, static_cast<double>(tokens)) : all);
    Pass pass{context, rollout, choices, dropout, scale};
    pass.result.loss = masked_loss * scale;
    for (const auto* rows : {&active, &idle})
        for (const RolloutBatch& batch : make_rollout_batches(
                 rollout, all_prompts, *rows, context.micro_batch_tokens, first_stream, context.device)) {
            if (stop.requested() == StopRequest::cancel) {
                pass.result.cancelled = true;
                return pass.result;
            }
            pass.run(batch, rows == &idle);
            if (!pass.result.bad_completions.empty()) return pass.result;
        }
    PolicyPass& result = pass.result;
    result.low_mean /= all;
    result.high_mean /= all;
    result.low_min = pass.completions == rollout.completions() ? pass.low_min : 0;
    if (pass.completions > 0) result.ratio_mean = pass.ratios / static_cast<double>(pass.completions);
    const double nothing = std::numeric_limits<double>::quiet_NaN();
    result.entropy = pass.scored > 0 ? pass.entropy / static_cast<double>(pass.scored) : nothing;
    result.sampler_gap_mean = pass.compared > 0 ? pass.gap / static_cast<double>(pass.compared) : nothing;
    if (pass.compared == 0) result.sampler_gap_max = nothing;
    return result;
}

std::vector<Metric> PolicyPass::metrics() const {
    return {{"loss", loss},
            {"entropy", entropy},
            {"clip_ratio/low_mean", low_mean},
            {"clip_ratio/low_min", low_min},
            {"clip_ratio/high_mean", high_mean},
            {"clip_ratio/high_max", high_max},
            {"clip_ratio/region_mean", low_mean + high_mean},
            {"ratio/mean", ratio_mean},
            {"sampling/sampling_logp_difference/mean", sampler_gap_mean},
            {"sampling/sampling_logp_difference/max", sampler_gap_max}};
}

} // namespace tempera
