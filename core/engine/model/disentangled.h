#pragma once

#include "core/engine/model/encoder.h"

namespace tempera {

/// DeBERTa's attention (He et al. 2021; transformers' modeling_deberta_v2.py): the scores of content against
/// content get those of content against relative position and of relative position against content.

/// The row of the table of relative positions for every pair of query and key: (T, T) int64,
/// clamp(bucket(q - k) + span, 0, 2 span - 1). Distances up to half of position_buckets have a row each,
/// further ones share log-spaced rows.
at::Tensor relative_rows(const EncoderConfig& config, std::int64_t t, at::Device device);

/// The table of relative positions as every layer sees it, normalised where the model does that:
/// (2 span, C).
at::Tensor relative_table(const Encoder& model);

/// What is added to query key^T / sqrt(D * factor): (B, H, T, T). query, key are (B, H, T, D).
at::Tensor relative_bias(const EncoderConfig& config, const EncoderLayer& layer, const at::Tensor& query,
                         const at::Tensor& key, const at::Tensor& table, const at::Tensor& rows);

/// 1 + the number of kinds of position scores: all are divided by sqrt(D * factor).
double score_factor(const EncoderConfig& config);

} // namespace tempera
