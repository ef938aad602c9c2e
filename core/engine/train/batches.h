#pragma once

#include "core/data/token_example.h"
#include "core/engine/model/token_row.h"

#include <cstdint>
#include <vector>

namespace tempera {

/// Which rows an optimiser step learns from: an epoch is a permutation drawn from (seed, epoch), cut into
/// batches of `batch_size`; a step takes `accumulation` of them, the last step of an epoch what is left (as
/// transformers counts). A function of the step alone, so a resumed run sees the same rows.
class BatchPlan {
public:
    BatchPlan(std::int64_t rows, std::int64_t batch_size, std::int64_t accumulation, std::uint64_t seed);

    std::int64_t steps_per_epoch() const { return steps_per_epoch_; }
    std::int64_t total_steps(double epochs, std::int64_t max_steps) const; ///< max_steps 0 = by epochs
    /// Row numbers of step `step` (from 0), one list a batch.
    std::vector<std::vector<std::int64_t>> batches(std::int64_t step);
    /// Epochs done after `steps` steps.
    double epoch_after(std::int64_t steps) const;

private:
    std::int64_t rows_, batch_size_, accumulation_, batches_per_epoch_, steps_per_epoch_;
    std::uint64_t seed_;
    std::int64_t epoch_ = -1; ///< the one `order_` is of
    std::vector<std::int64_t> order_;
};

/// The rows of all batches, in order.
std::vector<std::int64_t> all_rows(const std::vector<std::vector<std::int64_t>>& batches);

/// What is computed at once: whole sequences, and where in their row the tokens are that predict a target.
struct MicroBatch {
    std::vector<std::int64_t> rows; ///< example numbers, for error sentences
    TokenRow row;
    at::Tensor wanted;  ///< (n) int64: tokens whose hidden state predicts a target
    at::Tensor targets; ///< (n) int32
};

/// Groups indices of `lengths` so that each group has at most `max_tokens` together (a longer one stands
/// alone); long ones first, equal ones in their order.
std::vector<std::vector<std::size_t>> token_groups(std::span<const std::int64_t> lengths,
                                                   std::int64_t max_tokens);

/// Groups `rows` into micro-batches of at most `max_tokens` (a longer sequence stands alone), sorted by
/// length. `first_stream` is the dropout stream of rows[0]; rows[i] has first_stream + i, however it is
/// grouped.
std::vector<MicroBatch> make_micro_batches(const std::vector<TokenExample>& examples,
                                           const std::vector<std::int64_t>& rows, std::int64_t max_tokens,
                                           std::int64_t first_stream, at::Device device);

} // namespace tempera
