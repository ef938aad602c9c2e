#include "core/engine/kernels/panel_gemm.h"

#include <cstdlib>
#include <string_view>

namespace tempera {

namespace {

InstructionSet detect() {
    const char* wish = std::getenv("TEMPERA_ISA");
    std::string_view limit = wish ? wish : "";
#if defined(__x86_64__)
    __builtin_cpu_init();
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")
                  && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
    if (avx512 && limit != "avx2" && limit != "baseline") return InstructionSet::avx512;
    if (avx2 && limit != "baseline") return InstructionSet::avx2;
#endif
    return InstructionSet::baseline;
}

} // namespace

InstructionSet instruction_set() {
    static const InstructionSet found = detect();
    return found;
}

void gemm_on_this_thread(const GemmCall& call) {
    switch (instruction_set()) {
    case InstructionSet::avx512:
        return avx512::gemm(call);
    case InstructionSet::avx2:
        return avx2::gemm(call);
    case InstructionSet::baseline:
        return baseline::gemm(call);
    }
}

} // namespace tempera
