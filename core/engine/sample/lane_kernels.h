#pragma once

#include <cstdint>
#include <span>

namespace tempera {

/// Kernels of the decode forward. Activations are feature-major: value of feature f of lane l at [f * stride
/// + l]. A lane is one token of one sequence; its results never depend on the other lanes, so a sample is the
/// same at any batch size.

/// Tokens of one page of the KV cache, and of one tile of keys inside it.
inline constexpr std::int64_t kv_page_tokens = 32;
inline constexpr std::int64_t kv_tile_tokens = 16;

/// Attention of the queries that share one key-value head, for one lane.
struct AttentionCall {
    const float* queries =
        nullptr; ///< (heads, head_dim), rotated and scaled; rows padded with zeros to a multiple of 16
    std::int64_t heads = 0;         ///< query heads of this key-value head
    std::int64_t head_dim = 0;      ///< padded
    std::span<float* const> prefix; ///< pages of the prompt, shared by its samples
    std::int64_t prefix_tokens = 0;
    std::span<float* const> own; ///< pages of the sequence's own tokens
    std::int64_t own_tokens = 0;
    std::int64_t offset =
        0; ///< of this layer and head in a page: keys [tiles][head_dim][16], then values [32][head_dim]
    float* scores = nullptr;       ///< scratch: (heads, score_stride)
    std::int64_t score_stride = 0; ///< at least prefix_tokens + own_tokens + 48
    float* out = nullptr;          ///< (heads, head_dim)
};

/// What one pass over a row of logits finds. With m = largest: sum_raw = sum e^(l - m), sum_hot = sum e^((l -
/// m) * inverse_t).
struct RowSums {
    double raw = 0;
    double hot = 0;
};

/// Block of a row for which partial sums are kept, so that the inverse of the distribution function is found
/// in two short scans.
inline constexpr std::int64_t row_block = 512;

struct LaneKernels {
    /// y = x / sqrt(mean(x^2) + eps) * weight per lane, over lanes [0, lanes) (a multiple of 16). In place is
    /// allowed.
    void (*rms_norm)(const float* x, const float* weight, float eps, std::int64_t features,
                     std::int64_t stride, std::int64_t lanes, float* y);
    /// out = silu(gate) * up, elementwise over `rows` rows of `lanes`.
    void (*swiglu)(const float* gate, const float* up, std::int64_t rows, std::int64_t stride,
                   std::int64_t lanes, float* out);
    void (*attention)(const AttentionCall& call);
    float (*row_max)(const float* row, std::int64_t count);
    /// Block sums of the tempered distribution go to block_sums[(count + row_block - 1) / row_block].
    RowSums (*row_sums)(const float* row, std::int64_t count, float largest, float inverse_t,
                        float* block_sums);
    /// out = e^((x - largest) * inverse_t); in place is allowed.
    void (*temper)(const float* row, std::int64_t count, float largest, float inverse_t, float* out);
    /// Writes the indices of all elements >= threshold, in order, and returns their number.
    std::int64_t (*select)(const float* row, std::int64_t count, float threshold, std::int32_t* indices);
    /// First index of the largest element.
    std::int64_t (*row_argmax)(const float* row, std::int64_t count);
    /// (rows, stride) -> out[lane][first + row] for all rows and lanes.
    void (*scatter)(const float* in, std::int64_t rows, std::int64_t stride, std::int64_t lanes,
                    std::int64_t first, float* const* out);
    const char* name;
};

/// The kernels of the widest instruction set of this processor.
const LaneKernels& lane_kernels();

namespace avx512 {
extern const LaneKernels lane_kernels;
}
namespace avx2 {
extern const LaneKernels lane_kernels;
}
namespace baseline {
extern const LaneKernels lane_kernels;
}

} // namespace tempera
