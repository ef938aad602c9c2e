#pragma once

#include "core/queue/engine.h"

namespace tempera {

/// REINFORCE leave-one-out (kind "rloo", fields of RlooRecipe; model fields are folders). Every rollout draws
/// k completions of each prompt of a step with the weights under training (sampler and trainer share them in
/// memory), rewards them, and takes `iterations` optimiser steps on them. The KL reference is the model the
/// run started from: with LoRA the same weights with the adapter off, else a frozen copy; none where kl_coef
/// is 0. The result is `folder`/model, as of run_sft.
///
/// Reports the rollouts of every step that is logged (on_rollouts), and as metrics TRL 1.16's: reward,
/// reward_std, rewards/<f>/mean and std, kl, entropy, completions/*, frac_reward_zero_std, clip_ratio/*,
/// loss, grad_norm, learning_rate, num_tokens (drawn and prompt tokens), epoch; see judge_rollout, PolicyPass
/// and evaluate_policy for what comes on top. Held-out prompts are evaluated before the first step too, as
/// step 0; a stop while they are drawn ends the run at once, without a checkpoint, and a resume evaluates
/// again. Health rules (core/stats/health.h) report events of kind "health".
///
/// Resuming is bit-exact, in the middle of a rollout's iterations too. Throws Error; Error(numeric) where a
/// loss or gradient is not finite, before the step is applied.
RunOutcome run_rloo(const RunRequest& request, RunObserver& observer, const StopToken& stop);

} // namespace tempera
