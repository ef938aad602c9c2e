#include "core/engine/kernels/gemm.h"

#include "core/engine/kernels/panel_gemm.h"

#include <ATen/Parallel.h>
#include <algorithm>
#include <c10/core/GradMode.h>
#include <cstring>
#include <vector>

namespace tempera::kernels {

namespace {

constexpr std::int64_t panel = 64;         ///< columns computed together
constexpr std::int64_t depth_chunk = 1536; ///< a packed panel of it (393 kB) stays in the second-level cache
constexpr std::int64_t row_block = 192;    ///< unit in which rows are shared among threads
constexpr std::int64_t turned_rows = 96;   ///< rows of a transposed left factor that are turned at once

/// A matrix in memory: element (i, j) at data[i * row + j * column].
struct View {
    const float* data;
    std::int64_t row, column;
    const float* at(std::int64_t i, std::int64_t j) const { return data + i * row + j * column; }
};

struct Target {
    float* data;
    std::int64_t row;
    bool add;
    float scale;
};

/// Memory of one thread, kept between calls.
float* scratch(int slot, std::int64_t count) {
    thread_local std::vector<float> buffers[3];
    auto& buffer = buffers[slot];
    constexpr std::int64_t line = 16;
    if (static_cast<std::int64_t>(buffer.size()) < count + line)
        buffer.resize(static_cast<std::size_t>(count + line));
    auto address = reinterpret_cast<std::uintptr_t>(buffer.data());
    return buffer.data() + (64 - address % 64) % 64 / sizeof(float);
}

std::int64_t padded(std::int64_t width) {
    return (width + 15) / 16 * 16;
}

/// Four rows of four floats at `source` become columns at `target`.
inline void transpose_4x4(const float* source, std::int64_t source_row, float* target,
                          std::int64_t target_row) {
    using Four = float __attribute__((vector_size(16)));
    using Index = int __attribute__((vector_size(16)));
    Four in[4];
    for (int r = 0; r < 4; ++r)
        std::memcpy(&in[r], source + r * source_row, sizeof(Four));
    constexpr Index low{0, 4, 1, 5}, high{2, 6, 3, 7}, heads{0, 1, 4, 5}, tails{2, 3, 6, 7};
    const Four a = __builtin_shuffle(in[0], in[1], low), b = __builtin_shuffle(in[2], in[3], low),
               c = __builtin_shuffle(in[0], in[1], high), d = __builtin_shuffle(in[2], in[3], high);
    const Four out[4] = {__builtin_shuffle(a, b, heads), __builtin_shuffle(a, b, tails),
                         __builtin_shuffle(c, d, heads), __builtin_shuffle(c, d, tails)};
    for (int r = 0; r < 4; ++r)
        std::memcpy(target + r * target_row, &out[r], sizeof(Four));
}

/// Columns [column, column + width) and rows [begin, begin + depth) of the right factor, row-major, padded
/// with zeros.
const float* pack_panel(const View& b, std::int64_t begin, std::int64_t depth, std::int64_t column,
                        std::int64_t width) {
    std::int64_t stride = padded(width);
    float* packed = scratch(0, depth * stride);
    if (stride != width) std::memset(packed, 0, static_cast<std::size_t>(depth * stride) * sizeof(float));
    if (b.column == 1) {
        for (std::int64_t k = 0; k < depth; ++k)
            std::memcpy(packed + k * stride, b.at(begin + k, column),
                        static_cast<std::size_t>(width) * sizeof(float));
        return packed;
    }
    for (std::int64_t first = 0; first < depth; first += 16) { // whole cache lines of a transposed matrix
        const std::int64_t last = std::min(first + 16, depth);
        std::int64_t c = 0;
        for (; c + 4 <= width && last - first == 16; c += 4)
            for (std::int64_t k = first; k < last; k += 4)
                transpose_4x4(b.at(begin + k, column + c), b.column, packed + k * stride + c, stride);
        for (; c < width; ++c) {
            const float* source = b.at(begin, column + c);
            for (std::int64_t k = first; k < last; ++k)
                packed[k * stride + c] = source[k];
        }
    }
    return packed;
}

/// Rows [first, first + rows) of a transposed left factor as rows. The stride is no power of two: sixteen
/// streams at one place of the cache would throw each other out.
const float* turn_rows(const View& a, std::int64_t first, std::int64_t rows, std::int64_t begin,
                       std::int64_t depth, std::int64_t& stride) {
    stride = padded(depth) + 16;
    float* turned = scratch(1, rows * stride);
    for (std::int64_t r = 0; r < rows; r += 16) {
        std::int64_t count = std::min<std::int64_t>(16, rows - r);
        for (std::int64_t k = 0; k < depth; ++k) {
            const float* source = a.at(first + r, begin + k);
            for (std::int64_t i = 0; i < count; ++i)
                turned[(r + i) * stride + k] = source[i * a.row];
        }
    }
    return turned;
}

/// target[first_row.., column..] (+)= scale * left * packed panel.
void multiply_panel(const float* left, std::int64_t left_stride, const float* packed, const Target& target,
                    std::int64_t first_row, std::int64_t rows, std::int64_t depth, std::int64_t column,
                    std::int64_t width, bool add) {
    std::int64_t stride = padded(width);
    GemmCall call;
    call.a = left;
    call.a_row = left_stride;
    call.b = packed;
    call.b_stride = stride;
    call.rows = rows;
    call.depth = depth;
    call.cols = stride;
    call.scale = target.scale;
    float* c = target.data + first_row * target.row + column;
    if (stride == width) {
        call.c = c;
        call.c_stride = target.row;
        call.accumulate = add;
        gemm_on_this_thread(call);
        return;
    }
    float* whole = scratch(2, rows * stride);
    call.c = whole;
    call.c_stride = stride;
    gemm_on_this_thread(call);
    for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t k = 0; k < width; ++k)
            c[r * target.row + k] =
                add ? c[r * target.row + k] + whole[r * stride + k] : whole[r * stride + k];
}

/// Products whose left factor has contiguous rows: panels of columns, each shared out in blocks of rows.
void multiply_rows(const View& a, const View& b, const Target& target, std::int64_t m, std::int64_t n,
                   std::int64_t k, std::int64_t begin_item, std::int64_t end_item) {
    std::int64_t blocks = (m + row_block - 1) / row_block;
    for (std::int64_t item = begin_item; item < end_item;) {
        std::int64_t column = item / blocks * panel, width = std::min(panel, n - column);
        std::int64_t last_item = std::min(end_item, (item / blocks + 1) * blocks);
        std::int64_t row = item % blocks * row_block,
                     rows = std::min(m, row + (last_item - item) * row_block) - row;
        for (std::int64_t begin = 0; begin < k; begin += depth_chunk) {
            std::int64_t depth = std::min(depth_chunk, k - begin);
            const float* packed = pack_panel(b, begin, depth, column, width);
            multiply_panel(a.at(row, begin), a.row, packed, target, row, rows, depth, column, width,
                           target.add || begin > 0);
        }
        item = last_item;
    }
}

/// Products whose left factor is transposed: blocks of its rows are turned once and meet every panel of
/// columns.
void multiply_turned(const View& a, const View& b, const Target& target, std::int64_t m, std::int64_t n,
                     std::int64_t k, std::int64_t begin_item, std::int64_t end_item) {
    std::int64_t panels = (n + panel - 1) / panel;
    constexpr std::int64_t chunk = 1024;
    for (std::int64_t item = begin_item; item < end_item;) {
        std::int64_t row = item / panels * turned_rows, rows = std::min(turned_rows, m - row);
        std::int64_t last_item = std::min(end_item, (item / panels + 1) * panels);
        for (std::int64_t begin = 0; begin < k; begin += chunk) {
            std::int64_t depth = std::min(chunk, k - begin), stride = 0;
            const float* turned = turn_rows(a, row, rows, begin, depth, stride);
            for (std::int64_t p = item % panels; p < item % panels + (last_item - item); ++p) {
                std::int64_t column = p * panel, width = std::min(panel, n - column);
                const float* packed = pack_panel(b, begin, depth, column, width);
                multiply_panel(turned, stride, packed, target, row, rows, depth, column, width,
                               target.add || begin > 0);
            }
        }
        item = last_item;
    }
}

bool native(const at::Tensor& y, const at::Tensor& a, const at::Tensor& b) {
    auto fits = [](const at::Tensor& x) { return x.device().is_cpu() && x.scalar_type() == at::kFloat; };
    return fits(y) && fits(a) && fits(b) && y.stride(1) == 1 && (a.stride(1) == 1 || a.stride(0) == 1)
           && (b.stride(1) == 1 || b.stride(0) == 1) && y.numel() > 0 && a.size(1) > 0;
}

View view_of(const at::Tensor& x) {
    return {x.const_data_ptr<float>(), x.stride(0), x.stride(1)};
}

/// y = [y +] scale * a b.
void multiply_into(const at::Tensor& y, const at::Tensor& a, const at::Tensor& b, bool add, double scale) {
    if (!native(y, a, b)) {
        c10::NoGradGuard no_grad;
        at::addmm_out(const_cast<at::Tensor&>(y), y, a, b, add ? 1 : 0, scale);
        return;
    }
    std::int64_t m = y.size(0), n = y.size(1), k = a.size(1);
    View left = view_of(a), right = view_of(b);
    Target target{y.mutable_data_ptr<float>(), y.stride(0), add, static_cast<float>(scale)};
    bool turned = left.column != 1;
    std::int64_t unit = turned ? turned_rows : row_block;
    std::int64_t items = (m + unit - 1) / unit * ((n + panel - 1) / panel);
    std::int64_t flops_of_item = 2 * std::min(m, unit) * std::min(n, panel) * k;
    std::int64_t grain = std::max<std::int64_t>(1, 500'000 / std::max<std::int64_t>(flops_of_item, 1));
    at::parallel_for(0, items, grain, [&](std::int64_t begin, std::int64_t end) {
        (turned ? multiply_turned : multiply_rows)(left, right, target, m, n, k, begin, end);
    });
}

} // namespace

at::Tensor matmul_nt(const at::Tensor& x, const at::Tensor& w) {
    at::Tensor y = at::empty({x.size(0), w.size(0)}, x.options());
    matmul_nt_into(y, x, w);
    return y;
}

void matmul_nt_into(const at::Tensor& y, const at::Tensor& x, const at::Tensor& w, bool add, double scale) {
    multiply_into(y, x, w.t(), add, scale);
}

at::Tensor matmul_nn(const at::Tensor& d, const at::Tensor& w) {
    at::Tensor y = at::empty({d.size(0), w.size(1)}, d.options());
    matmul_nn_into(y, d, w);
    return y;
}

void matmul_nn_into(const at::Tensor& y, const at::Tensor& d, const at::Tensor& w, bool add, double scale) {
    multiply_into(y, d, w, add, scale);
}

void accumulate_tn(const at::Tensor& g, const at::Tensor& d, const at::Tensor& x, double scale) {
    multiply_into(g, d.t(), x, true, scale);
}

} // namespace tempera::kernels
