#include "core/engine/kernels/panel_gemm.h"

#define TEMPERA_WIDTH 4
namespace tempera::baseline {
namespace {
#include "core/engine/kernels/simd.inc"
} // namespace
#include "core/engine/kernels/panel_gemm.inc"
} // namespace tempera::baseline
