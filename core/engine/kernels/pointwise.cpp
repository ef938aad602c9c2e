#include "core/engine/kernels/pointwise.h"

#include "core/engine/kernels/multiarch.h"

#include <ATen/Parallel.h>
#include <algorithm>
#include <cmath>
#include <vector>

namespace tempera::kernels {

namespace {

constexpr std::int64_t block = 32; ///< rows of one partial sum of d_weight, whatever the number of threads

TEMPERA_MULTIARCH void rms_norm_rows(const float* x, const float* delta, const float* weight, float* sum,
                                     float* y, float* rstd, std::int64_t rows, std::int64_t c, float eps) {
    for (std::int64_t t = 0; t < rows; ++t, x += c, y += c) {
        const float* input = x;
        if (delta) {
            for (std::int64_t k = 0; k < c; ++k)
                sum[k] = x[k] + delta[k];
            input = sum;
            delta += c;
            sum += c;
        }
        float squares = 0;
#pragma omp simd reduction(+ : squares)
        for (std::int64_t k = 0; k < c; ++k)
            squares += input[k] * input[k];
        float scale = 1.0f / std::sqrt(squares / static_cast<float>(c) + eps);
        if (rstd) rstd[t] = scale;
        for (std::int64_t k = 0; k < c; ++k)
            y[k] = input[k] * scale * weight[k];
    }
}

TEMPERA_MULTIARCH void rms_norm_backward_rows(const float* dy, const float* x, const float* weight,
                                              const float* rstd, const float* residual, float* dx,
                                              float* d_weight, std::int64_t rows, std::int64_t c) {
    for (std::int64_t t = 0; t < rows; ++t, dy += c, x += c, dx += c) {
        float scale = rstd[t], dot = 0;
#pragma omp simd reduction(+ : dot)
        for (std::int64_t k = 0; k < c; ++k)
            dot += dy[k] * weight[k] * x[k];
        if (d_weight)
            for (std::int64_t k = 0; k < c; ++k)
                d_weight[k] += dy[k] * x[k] * scale;
        float back = dot * scale * scale * scale / static_cast<float>(c);
        if (residual) {
            for (std::int64_t k = 0; k < c; ++k)
                dx[k] = dy[k] * weight[k] * scale - x[k] * back + residual[k];
            residual += c;
        } else {
            for (std::int64_t k = 0; k < c; ++k)
                dx[k] = dy[k] * weight[k] * scale - x[k] * back;
        }
    }
}

TEMPERA_MULTIARCH void rope_row(float* data, std::int64_t heads, std::int64_t half, const float* cosine,
                                const float* sine, float sign) {
    for (std::int64_t h = 0; h < heads; ++h, data += 2 * half) {
        float* first = data;
        float* second = data + half;
#pragma GCC ivdep
        for (std::int64_t k = 0; k < half; ++k) {
            float a = first[k], b = second[k], s = sine[k] * sign;
            first[k] = a * cosine[k] - b * s;
            second[k] = b * cosine[k] + a * s;
        }
    }
}

TEMPERA_MULTIARCH void swiglu_row(const float* gate, const float* up, float* y, std::int64_t n) {
    for (std::int64_t k = 0; k < n; ++k)
        y[k] = gate[k] / (1.0f + fast_exp(-gate[k])) * up[k];
}

TEMPERA_MULTIARCH void swiglu_backward_row(const float* gate, const float* up, const float* dy, float* d_gate,
                                           float* d_up, std::int64_t n) {
#pragma GCC ivdep
    for (std::int64_t k = 0; k < n; ++k) {
        float g = gate[k], u = up[k];
        float sigmoid = 1.0f / (1.0f + fast_exp(-g));
        float silu = g * sigmoid;
        d_gate[k] = dy[k] * u * (sigmoid + silu * (1.0f - sigmoid));
        d_up[k] = dy[k] * silu;
    }
}

TEMPERA_MULTIARCH void adamw_range(const AdamW& o, float* weight, const float* gradient, float* first,
                                   float* second, std::int64_t n) {
    auto beta1 = static_cast<float>(o.beta1), beta2 = static_cast<float>(o.beta2);
    auto keep1 = static_cast<float>(1 - o.beta1), keep2 = static_cast<float>(1 - o.beta2);
    auto scale = static_cast<float>(o.gradient_scale), epsilon = static_cast<float>(o.epsilon);
    auto decay = static_cast<float>(1 - o.learning_rate * o.weight_decay);
    auto step = static_cast<double>(o.step);
    auto size = static_cast<float>(o.learning_rate / (1 - std::pow(o.beta1, step)));
    auto root = static_cast<float>(1 / std::sqrt(1 - std::pow(o.beta2, step)));
#pragma GCC ivdep
    for (std::int64_t k = 0; k < n; ++k) {
        float g = gradient[k] * scale;
        float m = first[k] * beta1 + g * keep1;
        float v = second[k] * beta2 + g * g * keep2;
        first[k] = m;
        second[k] = v;
        weight[k] = weight[k] * decay - size * m / (std::sqrt(v) * root + epsilon);
    }
}

TEMPERA_MULTIARCH double squares_range(const float* x, std::int64_t n) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t k = 0; k < n; ++k)
        sum += static_cast<double>(x[k]) * x[k];
    return sum;
}

TEMPERA_MULTIARCH void add_to(float* y, const float* x, std::int64_t n) {
    for (std::int64_t k = 0; k < n; ++k)
        y[k] += x[k];
}

/// Rows that make about 32 k numbers: less is not worth a thread.
std::int64_t grain(std::int64_t c) {
    return std::max<std::int64_t>(1, 32768 / std::max<std::int64_t>(c, 1));
}

} // namespace

void rms_norm_forward(const float* x, const float* delta, const float* weight, float* sum, float* y,
                      float* rstd, std::int64_t rows, std::int64_t c, double eps) {
    at::parallel_for(0, rows, grain(c), [&](std::int64_t begin, std::int64_t end) {
        std::int64_t at = begin * c;
        rms_norm_rows(x + at, delta ? delta + at : nullptr, weight, sum ? sum + at : nullptr, y + at,
                      rstd ? rstd + begin : nullptr, end - begin, c, static_cast<float>(eps));
    });
}

void rms_norm_backward(const float* dy, const float* x, const float* weight, const float* rstd,
                       const float* residual, float* dx, float* d_weight, std::int64_t rows, std::int64_t c) {
    std::int64_t blocks = (rows + block - 1) / block;
    std::vector<float> partial(d_weight ? static_cast<std::size_t>(blocks * c) : 0);
    at::parallel_for(
        0, blocks, std::max<std::int64_t>(1, grain(c) / block), [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t b = begin; b < end; ++b) {
                std::int64_t first = b * block, count = std::min(block, rows - first), at = first * c;
                rms_norm_backward_rows(dy + at, x + at, weight, rstd + first,
                                       residual ? residual + at : nullptr, dx + at,
                                       d_weight ? partial.data() + b * c : nullptr, count, c);
            }
        });
    if (d_weight)
        for (std::int64_t b = 0; b < blocks; ++b)
            add_to(d_weight, partial.data() + b * c, c);
}

void rope(float* data, std::int64_t row_stride, std::int64_t rows, std::int64_t heads, std::int64_t d,
          const float* cosine, const float* sine, const std::int32_t* positions, float sign) {
    std::int64_t half = d / 2;
    at::parallel_for(0, rows, grain(heads * d), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t t = begin; t < end; ++t)
            rope_row(data + t * row_stride, heads, half, cosine + positions[t] * half,
                     sine + positions[t] * half, sign);
    });
}

void swiglu_forward(const float* gate_up, float* y, std::int64_t rows, std::int64_t i) {
    at::parallel_for(0, rows, grain(i), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t t = begin; t < end; ++t)
            swiglu_row(gate_up + t * 2 * i, gate_up + t * 2 * i + i, y + t * i, i);
    });
}

void swiglu_backward(const float* gate_up, const float* dy, float* d_gate_up, std::int64_t rows,
                     std::int64_t i) {
    at::parallel_for(0, rows, grain(i), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t t = begin; t < end; ++t)
            swiglu_backward_row(gate_up + t * 2 * i, gate_up + t * 2 * i + i, dy + t * i,
                                d_gate_up + t * 2 * i, d_gate_up + t * 2 * i + i, i);
    });
}

void adamw_step(const AdamW& options, float* weight, const float* gradient, float* first, float* second,
                std::int64_t n) {
    at::parallel_for(0, n, 32768, [&](std::int64_t begin, std::int64_t end) {
        adamw_range(options, weight + begin, gradient + begin, first + begin, second + begin, end - begin);
    });
}

double sum_of_squares(const float* x, std::int64_t n) {
    constexpr std::int64_t chunk = 65536;
    std::int64_t chunks = (n + chunk - 1) / chunk;
    std::vector<double> partial(static_cast<std::size_t>(chunks));
    at::parallel_for(0, chunks, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t k = begin; k < end; ++k)
            partial[static_cast<std::size_t>(k)] =
                squares_range(x + k * chunk, std::min(chunk, n - k * chunk));
    });
    double sum = 0;
    for (double value : partial)
        sum += value;
    return sum;
}

void embedding_backward(const float* dy, const std::int32_t* ids, float* d_weight, std::int64_t rows,
                        std::int64_t c) {
    constexpr std::int64_t columns = 64;
    at::parallel_for(0, (c + columns - 1) / columns, 1, [&](std::int64_t begin, std::int64_t end) {
        std::int64_t first = begin * columns, count = std::min(end * columns, c) - first;
        for (std::int64_t t = 0; t < rows; ++t)
            add_to(d_weight + ids[t] * c + first, dy + t * c + first, count);
    });
}

} // namespace tempera::kernels
