#pragma once

#include "core/engine/model/decoder.h"
#include "core/engine/model/weights.h"
#include "core/format/encoder_config.h"

#include <ATen/ATen.h>
#include <cstdint>
#include <span>
#include <vector>

namespace tempera {

struct LayerNormWeights {
    at::Tensor weight; ///< (C)
    at::Tensor bias;   ///< (C)
};

/// One block: attention, add and norm, feed-forward, add and norm.
struct EncoderLayer {
    Linear query, key, value, output; ///< (C, C)
    LayerNormWeights attention_norm;
    Linear up;   ///< (intermediate, C)
    Linear down; ///< (C, intermediate)
    LayerNormWeights output_norm;
    Linear position_query, position_key; ///< (C, C), DeBERTa without share_att_key only
};

/// An encoder with a head of one score: transformers' Bert-, DistilBert- or
/// DebertaV2ForSequenceClassification with num_labels 1. Plain data; tensors that the family does not have
/// are undefined.
struct Encoder {
    EncoderConfig config;
    at::Tensor words;     ///< (V, E)
    at::Tensor positions; ///< (max_positions, E)
    at::Tensor types;     ///< (type_vocab_size, E)
    Linear widen;         ///< (C, E), DeBERTa with E other than C
    LayerNormWeights embedding_norm;
    at::Tensor relative; ///< (2 * relative_span(), C)
    LayerNormWeights relative_norm;
    std::vector<EncoderLayer> layers;
    Linear pooler;     ///< (C, C): bert.pooler.dense, pre_classifier, pooler.dense
    Linear classifier; ///< (1, C)
};

/// Every weight under the name transformers gives it in a *ForSequenceClassification model.
std::vector<NamedWeight> huggingface_weights(const Encoder& model);

/// An encoder of this shape whose weights are allocated but not set (float32, CPU).
Encoder empty_encoder(const EncoderConfig& config);

/// B sequences, padded on the right to the longest: T columns.
struct EncoderBatch {
    at::Tensor ids;      ///< (B, T) int64
    at::Tensor type_ids; ///< (B, T) int64
    at::Tensor lengths;  ///< (B) int64
    at::Tensor streams;  ///< (B) int64: the dropout stream of every sequence
};

/// A tokenised text, with the template's tokens.
struct EncoderInput {
    std::vector<std::int32_t> ids;
    std::vector<std::int32_t> type_ids; ///< as long as ids, or empty: all 0
};

/// `inputs` (not empty, none of them empty) in their order. `streams` names the dropout streams; empty where
/// no dropout is wanted.
EncoderBatch make_encoder_batch(std::span<const EncoderInput* const> inputs, std::int64_t pad_id,
                                std::span<const std::int64_t> streams = {}, at::Device device = at::kCPU);

/// Indices of `inputs` in groups that are computed together: sorted by length, the longest first, each group
/// of at most `max_tokens` padding included (a longer text stands alone).
std::vector<std::vector<std::size_t>> group_by_length(std::span<const EncoderInput* const> inputs,
                                                      std::int64_t max_tokens);

struct EncoderDropout {
    bool training = false; ///< off where false
    std::uint64_t seed = 0;
};

/// The score of every sequence: (B) float, of the first token's hidden state. Differentiable in every weight
/// that requires a gradient. What padding holds has no influence. Throws Error(bad_input) where a sequence is
/// longer than the position table or has a token or type that the model does not have.
at::Tensor encoder_scores(const Encoder& model, const EncoderBatch& batch,
                          const EncoderDropout& dropout = {});

} // namespace tempera
