#include "core/engine/sample/lane_kernels.h"

#include "core/engine/kernels/panel_gemm.h"

namespace tempera {

const LaneKernels& lane_kernels() {
    switch (instruction_set()) {
    case InstructionSet::avx512:
        return avx512::lane_kernels;
    case InstructionSet::avx2:
        return avx2::lane_kernels;
    case InstructionSet::baseline:
        break;
    }
    return baseline::lane_kernels;
}

} // namespace tempera
