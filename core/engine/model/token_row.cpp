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

std::int64_t PromptBranches::tokens() const {
    auto count = static_cast<std::int64_t>(prompt.size());
    for (auto completion : completions)
        count += static_cast<std::int64_t>(completion.size());
    return count;
}

BranchedRow make_branched_row(std::span<const PromptBranches> prompts, at::Device device) {
    std::vector<std::span<const std::int32_t>> sequences;
    std::vector<std::int64_t> streams, wanted, prefixes;
    std::vector<std::int32_t> targets;
    BranchedRow branched;
    branched.target_bounds.push_back(0);
    std::int64_t begin = 0;
    for (const PromptBranches& item : prompts) {
        auto shared = static_cast<std::int64_t>(item.prompt.size());
        std::int64_t prefix = -1, last = begin + shared - 1; // of the prompt
        if (shared > 0) {
            prefix = static_cast<std::int64_t>(sequences.size());
            sequences.push_back(item.prompt);
            streams.push_back(item.stream);
            prefixes.push_back(-1);
            begin += shared;
        }
        std::int64_t branch = 0;
        for (auto completion : item.completions) {
            auto length = static_cast<std::int64_t>(completion.size());
            sequences.push_back(completion);
            streams.push_back(item.stream + ++branch);
            prefixes.push_back(prefix);
            for (std::int64_t t = shared > 0 ? 0 : 1; t < length; ++t) {
                wanted.push_back(t == 0 ? last : begin + t - 1);
                targets.push_back(completion[static_cast<std::size_t>(t)]);
            }
            branched.target_bounds.push_back(static_cast<std::int64_t>(targets.size()));
            begin += length;
        }
    }
    branched.row = make_token_row(sequences, streams, at::kCPU);
    auto* positions = branched.row.positions.mutable_data_ptr<std::int32_t>();
    for (std::size_t s = 0; s < sequences.size(); ++s)
        if (prefixes[s] >= 0)
            for (std::int64_t t = branched.row.bounds[s]; t < branched.row.bounds[s + 1]; ++t)
                positions[t] +=
                    static_cast<std::int32_t>(sequences[static_cast<std::size_t>(prefixes[s])].size());
    branched.row.prefixes = std::move(prefixes);
    branched.row.ids = branched.row.ids.to(device);
    branched.row.positions = branched.row.positions.to(device);
    branched.wanted = at::tensor(wanted, at::kLong).to(device);
    branched.targets = at::tensor(targets, at::kInt).to(device);
    return branched;
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
