#include "core/engine/model/token_row.h"

#include "core/base/error.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tempera {

TokenRow make_token_row(std::span<const std::span<const std::int32_t>> sequences,
                        std::span<const std::int64_t> streams, at::Device device) {
    TokenRow row;
    row.bounds.push_back(0);
    for (auto sequence : sequences) {
        if (sequence.empty()) fail(ErrorKind::bad_input, "A sequence without tokens cannot be computed.");
        row.bounds.push_back(row.bounds.back() + static_cast<std::int64_t>(sequence.size()));
    }
    row.ids = at::empty({row.tokens()}, at::kInt);
    row.positions = at::empty({row.tokens()}, at::kInt);
    row.streams = at::zeros({row.tokens()}, at::kLong);
    auto* ids = row.ids.mutable_data_ptr<std::int32_t>();
    auto* positions = row.positions.mutable_data_ptr<std::int32_t>();
    auto* stream = row.streams.mutable_data_ptr<std::int64_t>();
    std::int64_t t = 0;
    for (std::size_t s = 0; s < sequences.size(); ++s) {
        std::int32_t position = 0;
        for (std::int32_t id : sequences[s]) {
            ids[t] = id;
            positions[t] = position++;
            if (!streams.empty()) stream[t] = streams[s];
            ++t;
        }
    }
    if (!device.is_cpu()) {
        row.ids = row.ids.to(device);
        row.positions = row.positions.to(device);
    }
    return row;
}

namespace {

/// transformers' _compute_llama3_parameters, in its order of fp32 operations.
float scaled_frequency(float frequency, const Llama3RopeScaling& scaling) {
    auto factor = static_cast<float>(scaling.factor);
    auto original = static_cast<double>(scaling.original_max_positions);
    double low_wavelength = original / scaling.low_frequency_factor;
    double high_wavelength = original / scaling.high_frequency_factor;
    float wavelength = static_cast<float>(2 * std::numbers::pi) / frequency;
    if (wavelength < high_wavelength) return frequency;
    if (wavelength > low_wavelength) return frequency / factor;
    auto smooth =
        (static_cast<float>(original) / wavelength - static_cast<float>(scaling.low_frequency_factor))
        / static_cast<float>(scaling.high_frequency_factor - scaling.low_frequency_factor);
    return (1 - smooth) * frequency / factor + smooth * frequency;
}

} // namespace

RopeTable make_rope_table(const ModelConfig& config, std::int64_t positions, at::Device device) {
    std::int64_t half = config.head_dim / 2;
    RopeTable table{at::empty({positions, half}, at::kFloat), at::empty({positions, half}, at::kFloat)};
    auto* cosine = table.cosine.mutable_data_ptr<float>();
    auto* sine = table.sine.mutable_data_ptr<float>();
    for (std::int64_t k = 0; k < half; ++k) {
        float exponent = static_cast<float>(2 * k) / static_cast<float>(config.head_dim);
        float frequency = 1.0f / std::pow(static_cast<float>(config.rope_theta), exponent);
        if (config.llama3_rope) frequency = scaled_frequency(frequency, *config.llama3_rope);
        for (std::int64_t p = 0; p < positions; ++p) {
            float angle = static_cast<float>(p) * frequency;
            cosine[p * half + k] = std::cos(angle);
            sine[p * half + k] = std::sin(angle);
        }
    }
    table.cosine = table.cosine.to(device);
    table.sine = table.sine.to(device);
    return table;
}

} // namespace tempera
