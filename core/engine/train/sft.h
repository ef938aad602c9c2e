#pragma once

#include "core/queue/engine.h"

namespace tempera {

/// Supervised fine-tuning (kind "sft", fields of SftRecipe; recipe.model is a folder). Full or LoRA, on the
/// completion or on everything. The result is `folder`/model/: a Hugging Face folder, or a PEFT adapter whose
/// base_model_name_or_path is recipe.model, or the model that stands under it where that is an adapter too.
/// With early stopping (patience > 0) it is the best evaluated model, else the last one.
///
/// Metrics, named and defined as TRL 1.16 has them: loss (mean over the steps since the last log), grad_norm
/// (before clipping), learning_rate, entropy, mean_token_accuracy (means over the micro-batches of
/// `batch_size` rows since the last log), num_tokens, epoch; besides tokens_per_second and memory_gib; and
/// eval_loss, eval_entropy, eval_mean_token_accuracy (over all validation tokens), eval_runtime (seconds).
///
/// A stop request ends in a checkpoint after the current step. A resumed run goes on from the newest
/// checkpoint that verifies, and its steps are bit-equal to those of a run that was never interrupted (same
/// machine, same number of threads). Throws Error; Error(numeric) where a loss or gradient is not finite,
/// before the step is applied.
RunOutcome run_sft(const RunRequest& request, RunObserver& observer, const StopToken& stop);

} // namespace tempera
