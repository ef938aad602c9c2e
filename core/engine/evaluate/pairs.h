#pragma once

#include "core/queue/engine.h"
#include "core/store/records.h"

namespace tempera {

/// A model answers every prompt k times and a judge scores the answers (kind "pairs", fields of PairsRecipe;
/// model is a folder). Leaves, for training without a network:
///  - artifacts/pairs.jsonl: {"prompt", "chosen", "rejected", "score_chosen", "score_rejected"}, the best
///    answer against the worst, of the prompts where the best is strictly better, by min_margin at least;
///  - artifacts/best.jsonl: {"prompt", "completion", "score"}, the best answer where it scores min_score.
/// Conversations are lists of {"role", "content"}, as on the hub, so that whoever trains on them puts them
/// into its own chat template; Countdown's prompts and answers are texts. A cut answer (finish "length") is
/// never chosen while another one scores as high; of equal ones the first counts.
///
/// Reports the answers as samples at the recipe's temperature, and the headlines pairs, best (rows of each
/// file), mean_score (of all answers) and best_score (of the best of k). A stop keeps what was drawn; a
/// resumed run draws what is missing, with fp32 on the CPU to the same result. Throws Error.
RunOutcome run_pairs(const RunRequest& request, RunObserver& observer, const StopToken& stop);

/// Indices of the best and the worst of some samples by score; for the best, an answer that ended by itself
/// goes before a cut one, then the earlier one. `samples` is not empty.
struct BestAndWorst {
    std::size_t best = 0;
    std::size_t worst = 0;
};
BestAndWorst best_and_worst(std::span<const Sample> samples);

} // namespace tempera
