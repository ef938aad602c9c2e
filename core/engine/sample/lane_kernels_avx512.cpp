#include "core/engine/sample/lane_kernels.h"

#include <immintrin.h>

#pragma GCC push_options
#pragma GCC target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")
#define TEMPERA_ISA_NAME "avx512"
#define TEMPERA_WIDTH 16
namespace tempera::avx512 {
namespace {
#include "core/engine/kernels/simd.inc"
} // namespace
#include "core/engine/sample/lane_kernels.inc"
} // namespace tempera::avx512
#pragma GCC pop_options
