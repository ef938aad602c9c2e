#pragma once

#include "core/engine/kernels/functions.h"
#include "core/engine/model/decoder.h"
#include "core/engine/model/token_row.h"

namespace tempera {

/// What one pass needs to know of model and machine.
struct PassContext {
    const Decoder& model;
    const RopeTable& rope;
    at::Device device;
    at::ScalarType compute_type;
    std::int64_t micro_batch_tokens;
};

} // namespace tempera
