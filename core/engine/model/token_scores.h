#pragma once

#include "core/engine/model/decoder.h"

#include <ATen/ATen.h>
#include <vector>

namespace tempera {

/// What the head says of n tokens at a temperature.
struct TokenScores {
    std::vector<float> logprobs;
    std::vector<float> logsumexps; ///< of logits / temperature; empty off the CPU
    std::vector<float> entropies;  ///< nats
};

/// For policy gradients, where the gradient's coefficients depend on all of a completion's log-probabilities:
/// log p(targets[i] | hidden[i]) of hidden (n, C), without a graph, in chunks of rows. Where `d_logprob` (n)
/// is given the coefficients are known beforehand, and the pass of backward_tokens() is done along the way,
/// with every logit computed once: d_hidden then holds its result.
TokenScores score_tokens(const at::Tensor& hidden, const Linear& head, const at::Tensor& targets,
                         double temperature, const std::vector<float>* d_logprob = nullptr,
                         at::Tensor* d_hidden = nullptr, std::int64_t chunk_rows = 256);

/// d(sum of d_logprob[i] * logprob[i])/d(hidden); the head's own gradient is added to its .grad() where it
/// requires one. Then hidden.backward() does the rest.
at::Tensor backward_tokens(const at::Tensor& hidden, const Linear& head, const at::Tensor& targets,
                           double temperature, const TokenScores& scores, const std::vector<float>& d_logprob,
                           std::int64_t chunk_rows = 256);

} // namespace tempera
