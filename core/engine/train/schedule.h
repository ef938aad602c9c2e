#pragma once

#include <cstdint>
#include <string>

namespace tempera {

/// Learning rate of step `step` (from 0) as a share of the highest: linear warm-up from 0 over `warmup`
/// steps, then "linear" to 0 at `total`, half a "cosine" to 0, or "constant" (transformers optimization.py).
double schedule_factor(const std::string& schedule, std::int64_t step, std::int64_t warmup,
                       std::int64_t total);

} // namespace tempera
