#include "core/engine/sample/lane_kernels.h"

#define TEMPERA_ISA_NAME "baseline"
#define TEMPERA_WIDTH 4
namespace tempera::baseline {
namespace {
#include "core/engine/kernels/simd.inc"
} // namespace
#include "core/engine/sample/lane_kernels.inc"
} // namespace tempera::baseline
