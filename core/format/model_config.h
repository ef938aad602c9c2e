#pragma once

#include "core/base/json.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tempera {

/// Rope scaling of Llama 3.1 (transformers modeling_rope_utils.py, "llama3").
struct Llama3RopeScaling {
    double factor = 8;
    double low_frequency_factor = 1;
    double high_frequency_factor = 4;
    std::int64_t original_max_positions = 8192;
};

/// What a Hugging Face config.json says of a decoder. Every number is checked against the others and against
/// sane limits when it is read, so that nothing is allocated for a lie.
struct ModelConfig {
    enum class Family { qwen2, llama };
    Family family = Family::qwen2;
    std::int64_t vocab_size = 0;
    std::int64_t hidden_size = 0; ///< C
    std::int64_t intermediate_size = 0;
    std::int64_t layers = 0;
    std::int64_t heads = 0;
    std::int64_t kv_heads = 0;
    std::int64_t head_dim = 0;
    std::int64_t max_positions = 0;
    double rms_norm_eps = 1e-6;
    double rope_theta = 10000;
    std::optional<Llama3RopeScaling> llama3_rope;
    bool qkv_bias = false;
    bool o_bias = false;
    bool mlp_bias = false;
    bool tied_embeddings = false;
    double initializer_range = 0.02;
    std::vector<std::int64_t> eos_ids; ///< of config.json and generation_config.json together
    std::int64_t bos_id = -1;
    std::int64_t pad_id = -1;
    Json raw; ///< config.json as it was read, written back unchanged

    std::int64_t parameter_count() const;
};

/// Reads and checks `folder`/config.json (and generation_config.json where present).
/// Throws Error(unsupported) for another architecture, rope scaling, activation, quantisation or sliding
/// window, and Error(bad_input) naming the field.
ModelConfig read_model_config(const std::filesystem::path& folder);
ModelConfig parse_model_config(const Json& config, const std::string& source);

} // namespace tempera
