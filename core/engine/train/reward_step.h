#pragma once

#include "core/base/stop_token.h"
#include "core/engine/model/encoder.h"
#include "core/engine/train/reward_data.h"
#include "core/store/records.h"

#include <optional>
#include <vector>

namespace tempera {

/// What one row of the training set asks for: a text with the score it shall get (regression), or two texts,
/// chosen and rejected.
struct RewardExample {
    std::vector<const EncoderInput*> texts; ///< one or two, of a RewardData that lives on
    double target = 0;                      ///< regression: the score; else the margin
    std::int64_t row = 0;                   ///< of the file, from 1
};

/// In order; regression makes an example of every text, of a pair the chosen one's first.
std::vector<RewardExample> reward_examples(const std::vector<RewardPair>& pairs, bool regression);

struct RewardPassContext {
    const Encoder& model;
    at::Device device;
    std::int64_t micro_batch_tokens;
    double center_rewards;
    EncoderDropout dropout;
};

struct RewardPassResult {
    std::vector<Metric> means;          ///< of the step, "loss" first
    std::int64_t tokens = 0;            ///< without padding
    std::vector<std::int64_t> bad_rows; ///< rows of the micro-batch whose loss is not finite; the pass ended
    bool cancelled = false;
};

/// Adds the gradient of the mean loss over all examples `chosen` to the parameters' gradients. Regression:
/// (score - target)^2, as transformers' MSELoss. Bradley-Terry: -log sigmoid(chosen - rejected - margin)
/// + center_rewards * (chosen + rejected)^2, as TRL 1.16's RewardTrainer. `first_stream` is the dropout
/// stream of the first example's first text.
RewardPassResult accumulate_reward_gradients(const RewardPassContext& context,
                                             const std::vector<RewardExample>& examples,
                                             const std::vector<std::int64_t>& chosen,
                                             std::int64_t first_stream, const StopToken& stop);

/// Held-out metrics, "eval_loss" first, then "eval_accuracy" where there are pairs, which stand before single
/// texts; nothing where it was cancelled.
std::optional<std::vector<Metric>> evaluate_reward(const RewardPassContext& context,
                                                   const std::vector<RewardPair>& pairs, bool regression,
                                                   const StopToken& stop);

} // namespace tempera
