#include "core/engine/train/schedule.h"

#include "core/base/error.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tempera {

double schedule_factor(const std::string& schedule, std::int64_t step, std::int64_t warmup,
                       std::int64_t total) {
    if (step < warmup) return static_cast<double>(step) / static_cast<double>(warmup);
    auto left = static_cast<double>(total - step),
         span = static_cast<double>(std::max<std::int64_t>(1, total - warmup));
    if (schedule == "constant") return 1;
    if (schedule == "linear") return std::max(0.0, left / span);
    if (schedule == "cosine")
        return std::max(0.0,
                        0.5 * (1 + std::cos(std::numbers::pi * static_cast<double>(step - warmup) / span)));
    fail(ErrorKind::bad_input, "Unknown schedule \"" + schedule + "\": choose linear, cosine or constant.");
}

} // namespace tempera
