#include "core/engine/kernels/attention_kernel.h"

#include "core/engine/kernels/multiarch.h"
#include "core/engine/kernels/panel_gemm.h"

#include <ATen/Parallel.h>
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace tempera::kernels {

namespace {

constexpr std::int64_t block = 64; ///< query rows computed together

std::int64_t padded(std::int64_t n) {
    return (n + 15) / 16 * 16;
}

/// One sequence and one key-value head, and this thread's memory for it.
struct Work {
    AttentionShape shape;
    std::int64_t begin, length, kv_head, total; ///< total = T
    std::int64_t stride() const { return shape.width(); }
    std::int64_t padded_length() const { return padded(length); }
    float scale() const { return static_cast<float>(1 / std::sqrt(static_cast<double>(shape.d))); }
    std::int64_t head(std::int64_t g) const { return kv_head * shape.group + g; }
    std::int64_t q_at(std::int64_t g, std::int64_t t) const {
        return (begin + t) * stride() + head(g) * shape.d;
    }
    std::int64_t k_at(std::int64_t t) const {
        return (begin + t) * stride() + (shape.heads() + kv_head) * shape.d;
    }
    std::int64_t v_at(std::int64_t t) const { return k_at(t) + shape.kv_heads * shape.d; }
    std::int64_t out_at(std::int64_t g, std::int64_t t) const {
        return (begin + t) * shape.heads() * shape.d + head(g) * shape.d;
    }
};

struct Scratch {
    std::vector<float> memory;
    /// `count` floats on a cache line.
    float* take(std::int64_t count) {
        memory.assign(static_cast<std::size_t>(count + 16), 0.0f);
        auto address = reinterpret_cast<std::uintptr_t>(memory.data());
        return memory.data() + (64 - address % 64) % 64 / sizeof(float);
    }
};

/// (length, d) rows as (d, padded length), zeros behind.
void turn(const float* rows, std::int64_t stride, std::int64_t length, std::int64_t d, float* turned) {
    std::int64_t width = padded(length);
    for (std::int64_t t = 0; t < length; ++t)
        for (std::int64_t k = 0; k < d; ++k)
            turned[k * width + t] = rows[t * stride + k];
}

void multiply(const float* a, std::int64_t a_row, std::int64_t a_depth, const float* b, std::int64_t b_stride,
              float* c, std::int64_t c_stride, std::int64_t rows, std::int64_t depth, std::int64_t cols,
              float scale, bool add) {
    GemmCall call;
    call.a = a;
    call.a_row = a_row;
    call.a_depth = a_depth;
    call.b = b;
    call.b_stride = b_stride;
    call.c = c;
    call.c_stride = c_stride;
    call.rows = rows;
    call.depth = depth;
    call.cols = cols;
    call.scale = scale;
    call.accumulate = add;
    gemm_on_this_thread(call);
}

/// In place: the softmax of the first `visible` scores, zeros up to `end`. Returns log(sum(exp)).
TEMPERA_MULTIARCH float softmax_row(float* x, std::int64_t visible, std::int64_t end) {
    float high = x[0], sum = 0;
#pragma omp simd reduction(max : high)
    for (std::int64_t k = 0; k < visible; ++k)
        high = x[k] > high ? x[k] : high;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t k = 0; k < visible; ++k) {
        x[k] = fast_exp(x[k] - high);
        sum += x[k];
    }
    float factor = 1 / sum;
    for (std::int64_t k = 0; k < visible; ++k)
        x[k] *= factor;
    for (std::int64_t k = visible; k < end; ++k)
        x[k] = 0;
    return high + std::log(sum);
}

/// scores -> probabilities, and d_probabilities -> d_scores, zeros from `visible` up to `end`.
TEMPERA_MULTIARCH void softmax_row_backward(float* p, float* d, float logsumexp, float delta, float scale,
                                            std::int64_t visible, std::int64_t end) {
    for (std::int64_t k = 0; k < visible; ++k) {
        p[k] = fast_exp(p[k] - logsumexp);
        d[k] = p[k] * (d[k] - delta) * scale;
    }
    for (std::int64_t k = visible; k < end; ++k)
        p[k] = d[k] = 0;
}

TEMPERA_MULTIARCH float dot(const float* a, const float* b, std::int64_t n) {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t k = 0; k < n; ++k)
        sum += a[k] * b[k];
    return sum;
}

void forward(const Work& w, const float* qkv, float* out, float* logsumexp, Scratch& scratch) {
    std::int64_t d = w.shape.d, width = w.padded_length(), out_stride = w.shape.heads() * d;
    float* keys = scratch.take((d + block) * width);
    float* scores = keys + d * width;
    turn(qkv + w.k_at(0), w.stride(), w.length, d, keys);
    for (std::int64_t g = 0; g < w.shape.group; ++g)
        for (std::int64_t first = 0; first < w.length; first += block) {
            std::int64_t rows = std::min(block, w.length - first), seen = first + rows;
            multiply(qkv + w.q_at(g, first), w.stride(), 1, keys, width, scores, width, rows, d, padded(seen),
                     w.scale(), false);
            for (std::int64_t r = 0; r < rows; ++r)
                logsumexp[w.head(g) * w.total + w.begin + first + r] =
                    softmax_row(scores + r * width, first + r + 1, seen);
            multiply(scores, width, 1, qkv + w.v_at(0), w.stride(), out + w.out_at(g, first), out_stride,
                     rows, seen, d, 1, false);
        }
}

void backward(const Work& w, const float* qkv, const float* out, const float* logsumexp, const float* d_out,
              float* d_qkv, Scratch& scratch) {
    std::int64_t d = w.shape.d, width = w.padded_length(), stride = w.stride(),
                 out_stride = w.shape.heads() * d;
    float* keys = scratch.take((2 * d + 2 * block) * width);
    float* values = keys + d * width;
    float* p = values + d * width;
    float* ds = p + block * width;
    turn(qkv + w.k_at(0), stride, w.length, d, keys);
    turn(qkv + w.v_at(0), stride, w.length, d, values);
    for (std::int64_t t = 0; t < w.length; ++t) {
        std::memset(d_qkv + w.k_at(t), 0, static_cast<std::size_t>(d) * sizeof(float));
        std::memset(d_qkv + w.v_at(t), 0, static_cast<std::size_t>(d) * sizeof(float));
    }
    for (std::int64_t g = 0; g < w.shape.group; ++g)
        for (std::int64_t first = 0; first < w.length; first += block) {
            std::int64_t rows = std::min(block, w.length - first), seen = first + rows;
            const float* q = qkv + w.q_at(g, first);
            const float* dy = d_out + w.out_at(g, first);
            multiply(q, stride, 1, keys, width, p, width, rows, d, padded(seen), w.scale(), false);
            multiply(dy, out_stride, 1, values, width, ds, width, rows, d, padded(seen), 1, false);
            for (std::int64_t r = 0; r < rows; ++r) {
                float delta = dot(dy + r * out_stride, out + w.out_at(g, first + r), d);
                softmax_row_backward(p + r * width, ds + r * width,
                                     logsumexp[w.head(g) * w.total + w.begin + first + r], delta, w.scale(),
                                     first + r + 1, seen);
            }
            multiply(ds, width, 1, qkv + w.k_at(0), stride, d_qkv + w.q_at(g, first), stride, rows, seen, d,
                     1, false);
            multiply(p, 1, width, dy, out_stride, d_qkv + w.v_at(0), stride, seen, rows, d, 1, true);
            multiply(ds, 1, width, q, stride, d_qkv + w.k_at(0), stride, seen, rows, d, 1, true);
        }
}

/// Calls `work` for every sequence and key-value head; long sequences first, so that the threads end
/// together.
template <typename Function>
void for_each_head(const AttentionShape& shape, std::span<const std::int64_t> bounds, const Function& work) {
    std::vector<Work> items;
    for (std::size_t s = 0; s + 1 < bounds.size(); ++s)
        for (std::int64_t h = 0; h < shape.kv_heads; ++h)
            items.push_back({shape, bounds[s], bounds[s + 1] - bounds[s], h, bounds.back()});
    std::stable_sort(items.begin(), items.end(),
                     [](const Work& a, const Work& b) { return a.length > b.length; });
    // Dealt out in turn: every thread gets long and short ones.
    std::int64_t threads = at::get_num_threads(), count = static_cast<std::int64_t>(items.size());
    at::parallel_for(0, threads, 1, [&](std::int64_t begin, std::int64_t end) {
        thread_local Scratch scratch;
        for (std::int64_t lane = begin; lane < end; ++lane)
            for (std::int64_t k = lane; k < count; k += threads)
                work(items[static_cast<std::size_t>(k)], scratch);
    });
}

} // namespace

void attention_forward(const AttentionShape& shape, std::span<const std::int64_t> bounds, const float* qkv,
                       float* out, float* logsumexp) {
    for_each_head(shape, bounds,
                  [&](const Work& w, Scratch& scratch) { forward(w, qkv, out, logsumexp, scratch); });
}

void attention_backward(const AttentionShape& shape, std::span<const std::int64_t> bounds, const float* qkv,
                        const float* out, const float* logsumexp, const float* d_out, float* d_qkv) {
    for_each_head(shape, bounds, [&](const Work& w, Scratch& scratch) {
        backward(w, qkv, out, logsumexp, d_out, d_qkv, scratch);
    });
}

} // namespace tempera::kernels
