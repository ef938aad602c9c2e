#pragma once

#include "core/queue/engine.h"
#include "core/store/records.h"

namespace tempera {

/// A model answers every prompt k times and a judge scores the answers (kind "pairs", fields of PairsRecipe;
/// model is a folder). Leaves, for training without a network:
///  - artifacts/pairs.jsonl: {"prompt", "chosen", "rejected", "score_chosen", "score_rejected"}, the best
///    answer against the worst, of the prompts where the best is strictly better, by min_margin at least;
///  - artifacts/best.jsonl: {"prompt", "completion", "score"}, the best answer where it scores min_score;
///  - artifacts/reward.jsonl, with off_topic: those pairs, and the best answer of every prompt against
///    off_topic answers that were given to other prompts, where the judge scores them lower, by min_margin at
///    least, as answers to this one. Which they are is named by the seed;
///  - artifacts/_prompts.jsonl: {"prompt"} of every prompt, in their order; by its name no data set: what
///    reads the folder leaves it alone.
/// Conversations are lists of {"role", "content"}, as on the hub, so that whoever trains on them puts them
/// into its own chat template; Countdown's prompts and answers are texts. A cut answer (finish "length") is
/// never chosen while another one scores as high; of equal ones the first counts.
///
/// Reports the answers as samples at the recipe's temperature, and the headlines pairs, best, reward_pairs
/// (rows of each file), mean_score (of all answers) and best_score (of the best of k). A stop keeps what was
/// drawn; a resumed run draws what is missing, with fp32 on the CPU to the same result. Throws Error.
RunOutcome run_pairs(const RunRequest& request, RunObserver& observer, const StopToken& stop);

} // namespace tempera
