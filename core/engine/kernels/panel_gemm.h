#pragma once

#include <cstddef>
#include <cstdint>

namespace tempera {

/// One product on one thread: C (rows x cols) = scale * A (rows x depth) B (depth x cols) [+ bias per row] [+
/// C].
///
/// A is read element by element and broadcast, so it may be strided any way and is never packed: a weight
/// matrix stays where it is, shared with the trainer. B and C are row-major with at least 64-byte rows in
/// reach: `cols` is a multiple of 16, and B is best when it is short and fat enough to stay in the
/// second-level cache (a panel of up to 64 columns). Every element of C is summed in the order of `depth`,
/// whatever rows, cols and instruction set: a result does not depend on which other rows or columns are
/// computed with it.
struct GemmCall {
    const float* a = nullptr;
    std::ptrdiff_t a_row = 0;   ///< elements from one row of A to the next
    std::ptrdiff_t a_depth = 1; ///< elements from one column of A to the next
    const float* b = nullptr;
    std::ptrdiff_t b_stride = 0; ///< elements from one row of B to the next
    float* c = nullptr;
    std::ptrdiff_t c_stride = 0;
    std::int64_t rows = 0;
    std::int64_t depth = 0;
    std::int64_t cols = 0;
    const float* bias = nullptr; ///< one per row, or null
    float scale = 1;
    bool accumulate = false; ///< add to C instead of replacing it
};

/// Runs with the widest instruction set of this processor (AVX-512, AVX2 with FMA, or the baseline). On the
/// reference machine (Zen 5, 2 threads) 460 GF/s at 48-64 columns, where MKL gives 145 (and 190 at 512).
void gemm_on_this_thread(const GemmCall& call);

namespace avx512 {
void gemm(const GemmCall& call);
}
namespace avx2 {
void gemm(const GemmCall& call);
}
namespace baseline {
void gemm(const GemmCall& call);
}

/// The widest instruction set this processor and operating system run. TEMPERA_ISA=avx2 or baseline in the
/// environment lowers it, for tests.
enum class InstructionSet { baseline, avx2, avx512 };
InstructionSet instruction_set();

} // namespace tempera
