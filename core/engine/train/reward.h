#pragma once

#include "core/queue/engine.h"

namespace tempera {

/// Trains a reward model (see RewardRecipe) and writes it to `folder`/model: a Hugging Face folder that
/// transformers' AutoModelForSequenceClassification loads, with tempera_reward.json beside it, which says how
/// RewardModel asks it. With early stopping (patience > 0) it is the best evaluated model, else the last one.
///
/// Metrics, named and defined as TRL 1.16's RewardTrainer has them: loss, accuracy (share of pairs whose
/// chosen text scores strictly higher), margin, min_reward, mean_reward, max_reward (means over the steps
/// since the last log); for regression loss and rewards only. On the held-out pairs the same with eval_
/// before, for regression too, and eval_calibration_error (expected_calibration_error of the margins) and,
/// where the pairs have scores, eval_score_correlation.
///
/// Stopping, resuming (bit-equal) and failing are as run_sft() has them.
RunOutcome run_reward(const RunRequest& request, RunObserver& observer, const StopToken& stop);

} // namespace tempera
