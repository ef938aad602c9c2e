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

/// One sequence and one key-value head. `prefix` tokens stand before it, from row `prefix_begin` on.
struct Work {
    AttentionShape shape;
    std::int64_t begin, length, prefix_begin, prefix, kv_head, total; ///< total = T
    std::int64_t stride() const { return shape.width(); }
    std::int64_t keys() const { return prefix + length; }
    std::int64_t padded_keys() const { return padded(keys()); }
    float scale() const { return static_cast<float>(1 / std::sqrt(static_cast<double>(shape.d))); }
    std::int64_t head(std::int64_t g) const { return kv_head * shape.group + g; }
    std::int64_t q_at(std::int64_t g, std::int64_t t) const {
        return (begin + t) * stride() + head(g) * shape.d;
    }
    /// Of row `row` of the whole matrix.
    std::int64_t k_at(std::int64_t row) const { return row * stride() + (shape.heads() + kv_head) * shape.d; }
    std::int64_t v_at(std::int64_t row) const { return k_at(row) + shape.kv_heads * shape.d; }
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

/// (length, d) rows as (d, length), in rows of `width`.
void turn(const float* rows, std::int64_t stride, std::int64_t length, std::int64_t d, float* turned,
          std::int64_t width) {
    for (std::int64_t t = 0; t < length; ++t)
        for (std::int64_t k = 0; k < d; ++k)
            turned[k * width + t] = rows[t * stride + k];
}

/// The keys (or values) of the prefix and of the sequence itself, side by side: (d, padded_keys()).
void turn_both(const Work& w, const float* of_prefix, const float* own, float* turned) {
    std::int64_t width = w.padded_keys();
    turn(of_prefix, w.stride(), w.prefix, w.shape.d, turned, width);
    turn(own, w.stride(), w.length, w.shape.d, turned + w.prefix, width);
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
    std::int64_t d = w.shape.d, width = w.padded_keys(), out_stride = w.shape.heads() * d;
    float* keys = scratch.take((d + block) * width);
    float* scores = keys + d * width;
    turn_both(w, qkv + w.k_at(w.prefix_begin), qkv + w.k_at(w.begin), keys);
    for (std::int64_t g = 0; g < w.shape.group; ++g)
        for (std::int64_t first = 0; first < w.length; first += block) {
            std::int64_t rows = std::min(block, w.length - first), own = first + rows, seen = w.prefix + own;
            multiply(qkv + w.q_at(g, first), w.stride(), 1, keys, width, scores, width, rows, d, padded(seen),
                     w.scale(), false);
            for (std::int64_t r = 0; r < rows; ++r)
                logsumexp[w.head(g) * w.total + w.begin + first + r] =
                    softmax_row(scores + r * width, w.prefix + first + r + 1, seen);
            float* y = out + w.out_at(g, first);
            if (w.prefix > 0)
                multiply(scores, width, 1, qkv + w.v_at(w.prefix_begin), w.stride(), y, out_stride, rows,
                         w.prefix, d, 1, false);
            multiply(scores + w.prefix, width, 1, qkv + w.v_at(w.begin), w.stride(), y, out_stride, rows, own,
                     d, 1, w.prefix > 0);
        }
}

void clear_gradient(const Work& w, float* d_qkv) {
    auto bytes = static_cast<std::size_t>(w.shape.d) * sizeof(float);
    for (std::int64_t row = w.begin; row < w.begin + w.length; ++row) {
        std::memset(d_qkv + w.k_at(row), 0, bytes);
        std::memset(d_qkv + w.v_at(row), 0, bytes);
    }
}

/// Writes the gradient of the sequence's queries and adds those of all keys and values it sees.
void backward(const Work& w, const float* qkv, const float* out, const float* logsumexp, const float* d_out,
              float* d_qkv, Scratch& scratch) {
    std::int64_t d = w.shape.d, width = w.padded_keys(), stride = w.stride(),
                 out_stride = w.shape.heads() * d;
    float* keys = scratch.take((2 * d + 2 * block) * width);
    float* values = keys + d * width;
    float* p = values + d * width;
    float* ds = p + block * width;
    turn_both(w, qkv + w.k_at(w.prefix_begin), qkv + w.k_at(w.begin), keys);
    turn_both(w, qkv + w.v_at(w.prefix_begin), qkv + w.v_at(w.begin), values);
    for (std::int64_t g = 0; g < w.shape.group; ++g)
        for (std::int64_t first = 0; first < w.length; first += block) {
            std::int64_t rows = std::min(block, w.length - first), own = first + rows, seen = w.prefix + own;
            const float* q = qkv + w.q_at(g, first);
            const float* dy = d_out + w.out_at(g, first);
            multiply(q, stride, 1, keys, width, p, width, rows, d, padded(seen), w.scale(), false);
            multiply(dy, out_stride, 1, values, width, ds, width, rows, d, padded(seen), 1, false);
            for (std::int64_t r = 0; r < rows; ++r) {
                float delta = dot(dy + r * out_stride, out + w.out_at(g, first + r), d);
                softmax_row_backward(p + r * width, ds + r * width,
                                     logsumexp[w.head(g) * w.total + w.begin + first + r], delta, w.scale(),
                                     w.prefix + first + r + 1, seen);
            }
            float* dq = d_qkv + w.q_at(g, first);
            auto add_part = [&](std::int64_t from, std::int64_t column, std::int64_t count, bool add) {
                if (count == 0) return;
                multiply(ds + column, width, 1, qkv + w.k_at(from), stride, dq, stride, rows, count, d, 1,
                         add);
                multiply(p + column, 1, width, dy, out_stride, d_qkv + w.v_at(from), stride, count, rows, d,
                         1, true);
                multiply(ds + column, 1, width, q, stride, d_qkv + w.k_at(from), stride, count, rows, d, 1,
                         true);
            };
            add_part(w.prefix_begin, 0, w.prefix, false);
            add_part(w.begin, w.prefix, own, w.prefix > 0);
        }
}

/// Calls `work` for every key-value head and list of sequences, long ones first, so that the threads end
/// together. `together`: a sequence and those that go on from it are one list, else each is one of its own.
template <typename Function>
void for_each_head(const AttentionShape& shape, const AttentionRows& rows, bool together,
                   const Function& work) {
    struct Item {
        std::vector<Work> sequences;
        std::int64_t tokens = 0;
    };
    std::vector<Item> items;
    std::vector<std::size_t> item_of(rows.bounds.size());
    for (std::int64_t h = 0; h < shape.kv_heads; ++h)
        for (std::size_t s = 0; s + 1 < rows.bounds.size(); ++s) {
            Work w{shape, rows.bounds[s], rows.bounds[s + 1] - rows.bounds[s], 0, 0, h, rows.bounds.back()};
            bool branch = !rows.prefixes.empty() && rows.prefixes[s] >= 0;
            item_of[s] = items.size();
            if (branch) {
                auto from = static_cast<std::size_t>(rows.prefixes[s]);
                w.prefix_begin = rows.bounds[from];
                w.prefix = rows.bounds[from + 1] - rows.bounds[from];
                if (together) item_of[s] = item_of[from];
            }
            if (item_of[s] == items.size()) items.emplace_back();
            items[item_of[s]].sequences.push_back(w);
            items[item_of[s]].tokens += w.length;
        }
    std::stable_sort(items.begin(), items.end(),
                     [](const Item& a, const Item& b) { return a.tokens > b.tokens; });
    // Dealt out in turn: every thread gets long and short ones.
    std::int64_t threads = at::get_num_threads(), count = static_cast<std::int64_t>(items.size());
    at::parallel_for(0, threads, 1, [&](std::int64_t begin, std::int64_t end) {
        thread_local Scratch scratch;
        for (std::int64_t lane = begin; lane < end; ++lane)
            for (std::int64_t k = lane; k < count; k += threads)
                work(items[static_cast<std::size_t>(k)].sequences, scratch);
    });
}

} // namespace

void attention_forward(const AttentionShape& shape, const AttentionRows& rows, const float* qkv, float* out,
                       float* logsumexp) {
    for_each_head(shape, rows, false, [&](const std::vector<Work>& list, Scratch& scratch) {
        for (const Work& w : list)
            forward(w, qkv, out, logsumexp, scratch);
    });
}

void attention_backward(const AttentionShape& shape, const AttentionRows& rows, const float* qkv,
                        const float* out, const float* logsumexp, const float* d_out, float* d_qkv) {
    // Branches add to their prefix's gradient, one after the other: on one thread.
    for_each_head(shape, rows, true, [&](const std::vector<Work>& list, Scratch& scratch) {
        for (const Work& w : list)
            clear_gradient(w, d_qkv);
        for (const Work& w : list)
            backward(w, qkv, out, logsumexp, d_out, d_qkv, scratch);
    });
}

} // namespace tempera::kernels
