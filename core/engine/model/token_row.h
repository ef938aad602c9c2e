#pragma once

#include "core/format/model_config.h"

#include <ATen/ATen.h>
#include <cstdint>
#include <span>
#include <vector>

namespace tempera {

/// The tokens of several sequences laid end to end, without padding: T tokens of S sequences. A sequence may
/// go on where another one ends (`prefixes`): several completions of one prompt share its tokens, which are
/// computed once, and its gradient is the sum over them.
struct TokenRow {
    at::Tensor ids;                   ///< (T) int32
    at::Tensor positions;             ///< (T) int32, from 0 in every sequence
    at::Tensor streams;               ///< (T) int64: the dropout stream of the token's sequence
    std::vector<std::int64_t> bounds; ///< S + 1: sequence s is [bounds[s], bounds[s + 1])
    /// S, or empty where no sequence has one: the earlier sequence that s goes on from (its positions count
    /// on, its tokens see all of it and their own past), or -1. A prefix has no prefix itself.
    std::vector<std::int64_t> prefixes;

    std::int64_t tokens() const { return bounds.back(); }
    std::int64_t sequences() const { return static_cast<std::int64_t>(bounds.size()) - 1; }
    std::int64_t prefix_of(std::int64_t s) const {
        return prefixes.empty() ? -1 : prefixes[static_cast<std::size_t>(s)];
    }
};

/// `streams` names the dropout stream of every sequence; empty where no dropout is wanted.
TokenRow make_token_row(std::span<const std::span<const std::int32_t>> sequences,
                        std::span<const std::int64_t> streams = {}, at::Device device = at::kCPU);

/// One prompt and its completions: DPO's pair, RLOO's k answers. The prompt may be empty; a completion's
/// first token then has nothing that it is predicted from, and is not a target.
struct PromptBranches {
    std::span<const std::int32_t> prompt;
    std::vector<std::span<const std::int32_t>> completions;
    std::int64_t stream = 0; ///< dropout stream of the prompt; completion i draws from stream + 1 + i

    std::int64_t tokens() const; ///< that are computed: the prompt once
};

/// Several prompts with their completions as one row, and the completions' tokens as targets: completion by
/// completion in the order given, n of them together.
struct BranchedRow {
    TokenRow row;
    at::Tensor wanted;                       ///< (n) int64: the token that predicts each target
    at::Tensor targets;                      ///< (n) int32
    std::vector<std::int64_t> target_bounds; ///< completions + 1: targets of completion c
};

/// Throws Error(bad_input) for a completion without tokens.
BranchedRow make_branched_row(std::span<const PromptBranches> prompts, at::Device device = at::kCPU);

/// Cosine and sine of position * frequency: (positions, D / 2) float, as transformers computes them in fp32,
/// with the llama3 scaling of the frequencies where the config has it (transformers modeling_rope_utils.py).
struct RopeTable {
    at::Tensor cosine;
    at::Tensor sine;
};
RopeTable make_rope_table(const ModelConfig& config, std::int64_t positions, at::Device device = at::kCPU);

} // namespace tempera
