#pragma once

#include "core/format/model_config.h"

#include <cstdint>
#include <vector>

namespace tempera {

/// Cosines and sines of rotary embedding, computed in fp32 as transformers does (modeling_rope_utils.py:
/// default and llama3).
class RotaryTable {
public:
    explicit RotaryTable(const ModelConfig& config);
    /// Makes positions [0, count) available.
    void grow(std::int64_t count);
    /// head_dim / 2 values.
    const float* cosines(std::int64_t position) const { return cosines_.data() + position * half(); }
    const float* sines(std::int64_t position) const { return sines_.data() + position * half(); }
    std::int64_t half() const { return static_cast<std::int64_t>(frequencies_.size()); }

private:
    std::vector<float> frequencies_;
    std::vector<float> cosines_; ///< (positions, head_dim / 2)
    std::vector<float> sines_;
};

} // namespace tempera
