#pragma once

#include <cstdint>
#include <span>

namespace tempera::kernels {

/// Where q, k and v lie in a row of the fused matrix: `kv_heads` groups of `group` query heads each, all of
/// width d.
struct AttentionShape {
    std::int64_t kv_heads, group, d;
    std::int64_t heads() const { return kv_heads * group; }
    std::int64_t width() const { return (heads() + 2 * kv_heads) * d; }
};

/// Which rows are a sequence, and which other sequence it goes on from: see TokenRow.
struct AttentionRows {
    std::span<const std::int64_t> bounds;   ///< S + 1
    std::span<const std::int64_t> prefixes; ///< S (-1 = none), or empty
};

/// Causal softmax(q k^T / sqrt(d)) v of every sequence on its own, behind its prefix where it has one; fp32
/// on the CPU. Sequence s is rows [bounds[s], bounds[s + 1]) of qkv (T, width()), whose q and k are rotated
/// already. Writes out (T, heads * d) and logsumexp (heads, T). d must be a multiple of 16. Nothing above the
/// diagonal is computed but inside blocks of 64 rows. Results do not depend on the number of threads, nor on
/// what other sequences there are.
void attention_forward(const AttentionShape& shape, const AttentionRows& rows, const float* qkv, float* out,
                       float* logsumexp);

/// d_qkv (T, width()), before the rotation is taken back.
void attention_backward(const AttentionShape& shape, const AttentionRows& rows, const float* qkv,
                        const float* out, const float* logsumexp, const float* d_out, float* d_qkv);

} // namespace tempera::kernels
