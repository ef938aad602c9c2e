#pragma once

#include "core/engine/model/decoder.h"

#include <ATen/ATen.h>

namespace tempera {

/// Sums over tokens; entropy in nats, correct = how often the largest logit was the target (a tie with an
/// earlier token counts as wrong).
struct CrossEntropySums {
    double negative_logprob = 0;
    double entropy = 0;
    std::int64_t correct = 0;
    std::int64_t tokens = 0;
};

/// Cross entropy of hidden (n, C) against targets (n) int32 in chunks of rows: the logits of all n tokens
/// never exist together. With `d_hidden` not null, d(scale * sum of -log p)/d(hidden) is stored there in the
/// same pass, and the head's own gradient is added to its .grad() where it requires one: nothing is computed
/// twice, and hidden.backward(d_hidden) does the rest. Not differentiable itself.
CrossEntropySums cross_entropy(const at::Tensor& hidden, const Linear& head, const at::Tensor& targets,
                               double scale, at::Tensor* d_hidden, std::int64_t chunk_rows = 256);

/// What can be said of every token on the way, without gradients.
struct TokenStatistics {
    at::Tensor entropy;    ///< (n) float, nats, at the same temperature
    at::Tensor correct;    ///< (n) bool: the largest logit is the target's (a tie with an earlier one: false)
    at::Tensor mean_logit; ///< (n) float: over the vocabulary
};

/// log p(targets[i] | hidden[i]) at `temperature`: (n) float. Differentiable in hidden and in the head's
/// weight; the backward pass computes the logits chunk by chunk again. `statistics`, where given, is filled.
at::Tensor token_logprobs(const at::Tensor& hidden, const Linear& head, const at::Tensor& targets,
                          double temperature = 1, std::int64_t chunk_rows = 256,
                          TokenStatistics* statistics = nullptr);

} // namespace tempera
