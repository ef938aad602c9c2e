#pragma once

#include "core/recipe/dpo_recipe.h"

#include <cstdint>

namespace tempera {

enum class DpoLossType { sigmoid, hinge, ipo, robust };

/// Log-probabilities of a pair's answers given their prompt, summed over tokens.
struct PairLogprobs {
    double chosen = 0;
    double rejected = 0;
};

/// One pair's loss and what it is made of. With lr = log pi - log pi_ref, x = beta (lr_chosen - lr_rejected)
/// and e = label_smoothing (TRL 1.16 dpo_trainer.py, but for the smoothed sigmoid):
///   sigmoid  -(1 - e) log s(x) - e log s(-x)         e > 0: conservative DPO (Mitchell 2023)
///   hinge    max(0, 1 - x)
///   ipo      (lr_chosen / |chosen| - lr_rejected / |rejected| - 1 / (2 beta))^2
///   robust   (-(1 - e) log s(x) + e log s(-x)) / (1 - 2 e)
struct PairLoss {
    double loss = 0;
    double d_chosen = 0;   ///< derivative by log pi(chosen)
    double d_rejected = 0; ///< derivative by log pi(rejected)
    double reward_chosen = 0;
    double reward_rejected = 0; ///< rewards are beta * lr
};

struct DpoLoss {
    DpoLossType type = DpoLossType::sigmoid;
    double beta = 0.1;
    double label_smoothing = 0;
};
DpoLoss dpo_loss_of(const DpoRecipe& recipe);

/// The lengths are those of the answers in tokens; only ipo looks at them.
PairLoss pair_loss(const DpoLoss& loss, const PairLogprobs& policy, const PairLogprobs& reference,
                   std::int64_t chosen_length, std::int64_t rejected_length);

} // namespace tempera
