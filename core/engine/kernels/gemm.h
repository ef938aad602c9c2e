#pragma once

#include <ATen/ATen.h>

namespace tempera::kernels {

/// Matrix products of the trainer and the sampler. Matrices are 2-d with unit stride in the last dimension
/// (rows may lie apart, as in a slice of a fused matrix). Outside fp32 on a CPU they are at::mm.

/// x (M, K) times w (N, K) transposed: a linear layer's forward pass. Returns (M, N).
at::Tensor matmul_nt(const at::Tensor& x, const at::Tensor& w);
/// y (M, N) = x w^T, or y += scale * x w^T where `add`.
void matmul_nt_into(const at::Tensor& y, const at::Tensor& x, const at::Tensor& w, bool add = false,
                    double scale = 1);
/// d (M, N) times w (N, K): the gradient of a linear layer's input. Returns (M, K).
at::Tensor matmul_nn(const at::Tensor& d, const at::Tensor& w);
void matmul_nn_into(const at::Tensor& y, const at::Tensor& d, const at::Tensor& w, bool add = false,
                    double scale = 1);
/// g (N, K) += scale * d (M, N) transposed times x (M, K): the gradient of a linear layer's weight.
void accumulate_tn(const at::Tensor& g, const at::Tensor& d, const at::Tensor& x, double scale = 1);

} // namespace tempera::kernels
