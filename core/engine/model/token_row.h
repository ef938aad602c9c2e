#pragma once

#include "core/format/model_config.h"

#include <ATen/ATen.h>
#include <cstdint>
#include <span>
#include <vector>

namespace tempera {

/// The tokens of several sequences laid end to end, without padding: T tokens of S sequences.
struct TokenRow {
    at::Tensor ids;                   ///< (T) int32
    at::Tensor positions;             ///< (T) int32, from 0 in every sequence
    at::Tensor streams;               ///< (T) int64: the dropout stream of the token's sequence
    std::vector<std::int64_t> bounds; ///< S + 1: sequence s is [bounds[s], bounds[s + 1])

    std::int64_t tokens() const { return bounds.back(); }
    std::int64_t sequences() const { return static_cast<std::int64_t>(bounds.size()) - 1; }
};

/// `streams` names the dropout stream of every sequence; empty where no dropout is wanted.
TokenRow make_token_row(std::span<const std::span<const std::int32_t>> sequences,
                        std::span<const std::int64_t> streams = {}, at::Device device = at::kCPU);

/// Cosine and sine of position * frequency: (positions, D / 2) float, as transformers computes them in fp32,
/// with the llama3 scaling of the frequencies where the config has it (transformers modeling_rope_utils.py).
struct RopeTable {
    at::Tensor cosine;
    at::Tensor sine;
};
RopeTable make_rope_table(const ModelConfig& config, std::int64_t positions, at::Device device = at::kCPU);

} // namespace tempera
