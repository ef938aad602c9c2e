#include "core/base/random.h"
#include "core/engine/kernels/multiarch.h"
#include "core/engine/kernels/pointwise.h"

#include <ATen/Parallel.h>
#include <algorithm>

namespace tempera::kernels {

namespace {

/// philox() of core/base/random.h on `lanes` consecutive blocks at once.
constexpr int lanes = 16;
struct Blocks {
    std::uint32_t word[4][lanes];
};

inline __attribute__((always_inline)) void philox_blocks(std::uint32_t first, std::uint32_t substream,
                                                         std::uint64_t stream, std::uint64_t seed,
                                                         Blocks& out) {
    std::uint32_t a[lanes], b[lanes], c[lanes], d[lanes];
    for (int i = 0; i < lanes; ++i) {
        a[i] = first + static_cast<std::uint32_t>(i);
        b[i] = substream;
        c[i] = static_cast<std::uint32_t>(stream);
        d[i] = static_cast<std::uint32_t>(stream >> 32);
    }
    auto key0 = static_cast<std::uint32_t>(seed), key1 = static_cast<std::uint32_t>(seed >> 32);
    for (int round = 0; round < 10; ++round) {
        for (int i = 0; i < lanes; ++i) {
            std::uint64_t product0 = std::uint64_t{0xD2511F53u} * a[i];
            std::uint64_t product1 = std::uint64_t{0xCD9E8D57u} * c[i];
            a[i] = static_cast<std::uint32_t>(product1 >> 32) ^ b[i] ^ key0;
            b[i] = static_cast<std::uint32_t>(product1);
            c[i] = static_cast<std::uint32_t>(product0 >> 32) ^ d[i] ^ key1;
            d[i] = static_cast<std::uint32_t>(product0);
        }
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
    for (int i = 0; i < lanes; ++i) {
        out.word[0][i] = a[i];
        out.word[1][i] = b[i];
        out.word[2][i] = c[i];
        out.word[3][i] = d[i];
    }
}

struct DropoutRow {
    std::uint64_t seed, stream;
    std::uint32_t substream;
    std::uint32_t threshold; ///< numbers below it drop
    float scale;
};

/// Numbers first .. first + c - 1 of the stream, number n being word n % 4 of block n / 4 as RandomStream has
/// it.
TEMPERA_MULTIARCH void dropout_row(const float* x, float* y, std::int64_t c, std::uint32_t first,
                                   const DropoutRow& row) {
    Blocks blocks;
    std::int64_t k = 0;
    std::uint32_t number = first;
    while (k < c) {
        std::uint32_t start = number / 4;
        philox_blocks(start, row.substream, row.stream, row.seed, blocks);
        std::int64_t offset = number % 4;
        std::int64_t count = std::min<std::int64_t>(4 * lanes - offset, c - k);
        for (std::int64_t i = 0; i < count; ++i) {
            std::int64_t n = i + offset;
            float kept = blocks.word[n & 3][n >> 2] < row.threshold ? 0.0f : row.scale;
            y[k + i] = x[k + i] * kept;
        }
        k += count;
        number += static_cast<std::uint32_t>(count);
    }
}

} // namespace

void dropout(const float* x, float* y, std::int64_t rows, std::int64_t c, double p, std::uint64_t seed,
             const std::int64_t* stream, const std::int32_t* positions, std::uint32_t substream) {
    auto threshold = static_cast<std::uint32_t>(std::min(p * 4294967296.0, 4294967295.0));
    auto scale = static_cast<float>(1 / (1 - p));
    at::parallel_for(0, rows, std::max<std::int64_t>(1, 8192 / c), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t t = begin; t < end; ++t) {
            DropoutRow row{seed, static_cast<std::uint64_t>(stream[t]), substream, threshold, scale};
            auto first = static_cast<std::uint32_t>(positions[t] * c);
            dropout_row(x + t * c, y + t * c, c, first, row);
        }
    });
}

} // namespace tempera::kernels
