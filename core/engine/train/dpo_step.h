#pragma once

#include "core/base/stop_token.h"
#include "core/engine/model/loss.h"
#include "core/engine/train/dpo_loss.h"
#include "core/engine/train/pair_examples.h"
#include "core/engine/train/pass_context.h"
#include "core/store/records.h"

#include <vector>

namespace tempera {

struct ReferenceLogprobs;

/// Pairs that are computed at once: of each the prompt, then chosen, then rejected.
struct PairBatch {
    std::vector<std::int64_t> rows; ///< example numbers
    BranchedRow branched;           ///< completions 2 k and 2 k + 1 are chosen and rejected of rows[k]
};

/// Groups `rows` into micro-batches of at most `max_tokens` computed tokens (a longer pair stands alone),
/// sorted by length. Pair i of `rows` draws its dropout from streams first_stream + 3 i and the next two.
std::vector<PairBatch> make_pair_batches(const std::vector<PairExample>& examples,
                                         const std::vector<std::int64_t>& rows, std::int64_t max_tokens,
                                         std::int64_t first_stream, at::Device device);

/// log p of every target of the row: (n) float, differentiable.
at::Tensor branch_logprobs(const PassContext& context, const BranchedRow& branched,
                           const DropoutSource& dropout, TokenStatistics* statistics);

/// The sums over the answers' tokens, one entry a pair.
std::vector<PairLogprobs> logprob_sums(const PairBatch& batch, const at::Tensor& logprobs);

/// What a step or an evaluation measured.
struct DpoPass {
    double loss = 0;
    /// Of the pass without loss, named and defined as TRL 1.16 has them: entropy, mean_token_accuracy (of
    /// chosen answers), logits/chosen|rejected, rewards/chosen|rejected|accuracies|margins,
    /// logps/chosen|rejected. Of a step: means over its batches.
    std::vector<Metric> metrics;
    std::int64_t tokens = 0; ///< of the texts, as TRL counts them: the prompt for both answers
    std::vector<std::int64_t>
        bad_rows; ///< examples of the micro-batch whose loss is not finite; it ended there
    bool cancelled = false;
};

/// Adds the gradient of the mean over batches of the mean over their pairs (TRL's normalisation) to the
/// parameters' gradients. `reference` knows all these rows. `first_stream` is the dropout stream of the
/// first.
DpoPass accumulate_pair_gradients(const PassContext& context, const std::vector<PairExample>& examples,
                                  const ReferenceLogprobs& reference,
                                  const std::vector<std::vector<std::int64_t>>& batches, const DpoLoss& loss,
                                  const DropoutSource& dropout, std::int64_t first_stream,
                                  const StopToken& stop);

/// The same over all examples, without dropout and gradients: means over all pairs and tokens.
DpoPass evaluate_pairs(const PassContext& context, const std::vector<PairExample>& examples,
                       const ReferenceLogprobs& reference, const DpoLoss& loss, const StopToken& stop);

} // namespace tempera
