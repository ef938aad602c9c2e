#include "core/engine/sample/lane_kernels.h"

#include <immintrin.h>

#pragma GCC push_options
#pragma GCC target("avx2,fma")
#define TEMPERA_ISA_NAME "avx2"
#define TEMPERA_WIDTH 8
namespace tempera::avx2 {
namespace {
#include "core/engine/kernels/simd.inc"
} // namespace
#include "core/engine/sample/lane_kernels.inc"
} // namespace tempera::avx2
#pragma GCC pop_options
