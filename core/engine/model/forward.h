#pragma once

#include "core/engine/kernels/functions.h"
#include "core/engine/model/decoder.h"
#include "core/engine/model/token_row.h"

namespace tempera {

/// The decoder over a row of whole sequences, for training, evaluation and log-probabilities (the sampler has
/// its own, with a KV cache). Differentiable in every weight and LoRA matrix that requires a gradient.
///
/// `wanted` (n) int64 names the tokens whose final hidden states are needed; undefined for all of them.
/// Returns (n, C), after the final norm. The last block and the norm are computed for those tokens only.
at::Tensor decoder_hidden(const Decoder& model, const TokenRow& row, const RopeTable& rope,
                          const DropoutSource& dropout = {}, const at::Tensor& wanted = {},
                          at::ScalarType compute_type = at::kFloat);

/// hidden (n, C) times the head: (n, V) logits. Use only where n is small.
at::Tensor decoder_logits(const Decoder& model, const at::Tensor& hidden);

} // namespace tempera
