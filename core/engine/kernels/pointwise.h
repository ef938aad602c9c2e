#pragma once

#include <cstdint>

namespace tempera::kernels {

/// Vectorised fp32 CPU kernels on dense row-major memory, parallel over rows. Results do not depend on the
/// number of threads. The same formulas for other devices and types are in functions.cpp.

/// y = x / sqrt(mean(x^2) + eps) * weight for every row (Zhang and Sennrich 2019). x, y (rows, C), weight
/// (C), rstd (rows) or null. With `delta` not null, x + delta is normalised and stored in `sum`, which may be
/// x or delta.
void rms_norm_forward(const float* x, const float* delta, const float* weight, float* sum, float* y,
                      float* rstd, std::int64_t rows, std::int64_t c, double eps);
/// dx = d(loss)/dx (+ `residual` where not null), given dy, the normalised input x and rstd. dx may be dy or
/// residual. d_weight (C) is added to where it is not null.
void rms_norm_backward(const float* dy, const float* x, const float* weight, const float* rstd,
                       const float* residual, float* dx, float* d_weight, std::int64_t rows, std::int64_t c);

/// Rotates pairs (i, i + D/2) of every head in place, as transformers' rotate_half does: row t has `heads`
/// heads of D numbers from data + t * row_stride on. cosine, sine are (positions, D/2); positions (rows) says
/// which of their rows. sign -1 rotates back: the backward pass.
void rope(float* data, std::int64_t row_stride, std::int64_t rows, std::int64_t heads, std::int64_t d,
          const float* cosine, const float* sine, const std::int32_t* positions, float sign);

/// y = silu(gate) * up. gate_up (rows, 2I): gate, then up; y (rows, I).
void swiglu_forward(const float* gate_up, float* y, std::int64_t rows, std::int64_t i);
/// d_gate_up (rows, 2I), may be gate_up; dy (rows, I).
void swiglu_backward(const float* gate_up, const float* dy, float* d_gate_up, std::int64_t rows,
                     std::int64_t i);

/// Row-wise softmax statistics of (rows, V) logits divided by `temperature`, with the target's
/// log-probability. Any of the outputs (rows) may be null. `entropy` in nats; `correct` is 1 where the first
/// largest logit is the target.
void softmax_statistics(const float* logits, const std::int32_t* targets, std::int64_t rows, std::int64_t v,
                        double temperature, float* logprob, float* logsumexp, float* entropy,
                        std::uint8_t* correct);
/// logits becomes d(loss)/d(logits) where d(loss)/d(logprob of row r) is d_logprob[r]:
/// d_logprob[r] * (onehot(target) - softmax(logits / temperature)) / temperature.
void softmax_backward(float* logits, const std::int32_t* targets, const float* logsumexp,
                      const float* d_logprob, std::int64_t rows, std::int64_t v, double temperature);

/// y = x where a draw of the row's stream keeps it, divided by (1 - p), else 0. Element c of row t uses
/// number positions[t] * C + c of the stream (seed, stream[t], substream): a row's mask depends on nothing it
/// is batched with. x, y (rows, C), y may be x.
void dropout(const float* x, float* y, std::int64_t rows, std::int64_t c, double p, std::uint64_t seed,
             const std::int64_t* stream, const std::int32_t* positions, std::uint32_t substream);

/// One decoupled AdamW step (Loshchilov and Hutter 2019, as torch.optim.AdamW computes it) over n numbers in
/// one pass. `gradient_scale` multiplies the gradient (clipping).
struct AdamW {
    double learning_rate = 0, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weight_decay = 0,
           gradient_scale = 1;
    std::int64_t step = 1; ///< counts from 1
};
void adamw_step(const AdamW& options, float* weight, const float* gradient, float* first, float* second,
                std::int64_t n);
/// Sum of squares in double, the same for every number of threads.
double sum_of_squares(const float* x, std::int64_t n);
/// The embedding's backward: d_weight[ids[t]] += dy[t] in order of t. d_weight (V, C), dy (rows, C).
void embedding_backward(const float* dy, const std::int32_t* ids, float* d_weight, std::int64_t rows,
                        std::int64_t c);

} // namespace tempera::kernels
