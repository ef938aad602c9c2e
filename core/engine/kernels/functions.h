#pragma once

#include "core/engine/model/decoder.h"
#include "core/engine/model/token_row.h"

#include <ATen/ATen.h>
#include <utility>

namespace tempera {

/// The decoder's differentiable pieces. On fp32 CPU tensors each is one autograd function around the
/// vectorised kernels; elsewhere the same formula out of ATen operations. Gradients of weights that require
/// one are added straight into their
/// `.grad()` (created where undefined): no temporary of the weight's size, and the trainer may let it point
/// into one flat buffer. Rows of tokens are (T, C).

/// weight[ids]: (T, C).
at::Tensor embed(const at::Tensor& weight, const at::Tensor& ids);

/// sum = x + delta (delta may be undefined, then sum is x), y = RMSNorm(sum) * weight. delta is consumed: its
/// memory becomes sum.
struct NormResult {
    at::Tensor sum;
    at::Tensor y;
};
NormResult add_rms_norm(const at::Tensor& x, const at::Tensor& delta, const at::Tensor& weight, double eps);

/// silu(gate) * up of (T, 2I): (T, I).
at::Tensor swiglu(const at::Tensor& gate_up);

/// Rotary and causal attention of every sequence on its own, behind its prefix where it has one. qkv (T, (heads + 2 kv_heads) * D) is consumed: q
/// and k in it are rotated in place. Returns (T, heads * D).
at::Tensor attention(const at::Tensor& qkv, const ModelConfig& config, const RopeTable& rope,
                     const TokenRow& row);

/// Says which random numbers LoRA's dropout draws; see kernels::dropout. Off where `training` is false.
struct DropoutSource {
    bool training = false;
    std::uint64_t seed = 0;
};

/// y = x W^T + b, plus scaling * B A dropout(x) on the output columns of every LoRA slice, associated as B (A
/// x). `first_module` numbers the layer's first slice among all modules of the model: every slice has its own
/// dropout.
at::Tensor linear(const at::Tensor& x, const Linear& layer, const TokenRow& row, const DropoutSource& dropout,
                  std::uint32_t first_module);

} // namespace tempera
