#include "core/engine/sample/rotary_table.h"

#include <cmath>
#include <numbers>

namespace tempera {

namespace {

std::vector<float> rotary_frequencies(const ModelConfig& config) {
    std::vector<float> result;
    for (std::int64_t i = 0; i < config.head_dim / 2; ++i) {
        // fp32 as transformers computes it: 1 / theta^(2i/d), then the bands of llama3
        // (modeling_rope_utils.py)
        float exponent = static_cast<float>(2 * i) / static_cast<float>(config.head_dim);
        float frequency = 1.0f / std::pow(static_cast<float>(config.rope_theta), exponent);
        if (config.llama3_rope) {
            const Llama3RopeScaling& s = *config.llama3_rope;
            double context = static_cast<double>(s.original_max_positions);
            double wavelength = 2 * std::numbers::pi / static_cast<double>(frequency);
            if (wavelength > context / s.low_frequency_factor) {
                frequency /= static_cast<float>(s.factor);
            } else if (wavelength >= context / s.high_frequency_factor) {
                double smooth = (context / wavelength - s.low_frequency_factor)
                                / (s.high_frequency_factor - s.low_frequency_factor);
                double f = static_cast<double>(frequency);
                frequency = static_cast<float>((1 - smooth) * f / s.factor + smooth * f);
            }
        }
        result.push_back(frequency);
    }
    return result;
}

} // namespace

RotaryTable::RotaryTable(const ModelConfig& config) : frequencies_(rotary_frequencies(config)) {}

void RotaryTable::grow(std::int64_t count) {
    for (auto p = static_cast<std::int64_t>(cosines_.size()) / half(); p < count; ++p)
        for (float frequency : frequencies_) {
            float angle = static_cast<float>(p) * frequency;
            cosines_.push_back(std::cos(angle));
            sines_.push_back(std::sin(angle));
        }
}

} // namespace tempera
