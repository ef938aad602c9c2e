#pragma once

#include "core/queue/engine.h"

namespace tempera {

/// Direct preference optimisation (kind "dpo", fields of DpoRecipe; recipe.model and ref_model are folders).
/// Full or LoRA; losses of dpo_loss.h. The prompt that both answers share is computed once. The result is
/// `folder`/model/, as run_sft() has it.
///
/// The reference is the model that the run starts from (an adapter folder is merged first, so that with LoRA
/// "adapter off" is exactly that model), or ref_model. It is never trained and runs without dropout, and
/// every pair's reference log-probabilities are computed once only. Before the first step the loss of
/// "sigmoid" is ln 2 and all margins are 0, exactly.
///
/// Metrics, named and defined as TRL 1.16 has them: those of DpoPass, loss, grad_norm, learning_rate,
/// num_tokens, epoch; besides tokens_per_second and memory_gib; and, of the held-out pairs, the same with
/// "eval_" before the name (eval_loss decides on the best model and early stopping), eval_runtime.
///
/// Stopping, resuming and errors are those of run_sft().
RunOutcome run_dpo(const RunRequest& request, RunObserver& observer, const StopToken& stop);

} // namespace tempera
