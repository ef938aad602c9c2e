#pragma once

#include "core/base/stop_token.h"
#include "core/engine/kernels/functions.h"
#include "core/engine/train/rollout.h"

#include <vector>

namespace tempera {

/// What a pass over a rollout computes.
struct PolicyChoices {
    PolicyObjective objective;
    double temperature = 1;
};
PolicyChoices policy_choices(const RlooRecipe& recipe);

/// What a pass measured.
struct PolicyPass {
    double loss = 0;
    double entropy =
        0; ///< nats a token, at the rollout's temperature, of the completions that are not masked
    double low_mean = 0, low_min = 0, high_mean = 0, high_max = 0; ///< shares that were clipped
    double ratio_mean = 1;
    double ratio_deviation = 0; ///< largest distance of a ratio from 1
    /// Largest and mean distance of the trainer's log-probabilities from the sampler's: of the pass that
    /// found old_logprobs, else NaN.
    double sampler_gap_mean = 0, sampler_gap_max = 0;
    std::int64_t tokens = 0; ///< that went through the model
    std::vector<std::int64_t>
        bad_completions; ///< of the micro-batch that is not finite; the pass ended there
    bool cancelled = false;

    /// TRL's names: loss, entropy, clip_ratio/*; besides ratio/mean, and sampling/* where it is known.
    std::vector<Metric> metrics() const;
};

/// Adds the gradient of the loss over the whole rollout to the parameters' gradients, however it is cut into
/// micro-batches: the mean over completions, or, with ratios of tokens, the mean over their tokens. Masked
/// completions have no gradient but count in the mean, as in TRL. Where a completion's old_logprobs are not
/// known yet, the pass's own are taken (its ratio is exactly 1) and kept.
PolicyPass accumulate_policy_gradients(const PassContext& context, Rollout& rollout,
                                       const std::vector<PolicyPrompt>& all, const PolicyChoices& choices,
                                       const DropoutSource& dropout, std::int64_t first_stream,
                                       const StopToken& stop);

} // namespace tempera
