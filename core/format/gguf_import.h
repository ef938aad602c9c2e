#pragma once

#include "core/base/json.h"
#include "core/base/stop_token.h"
#include "core/format/gguf.h"
#include "core/format/tensor_type.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>

namespace tempera {

struct GgufImportOptions {
    /// What the weights are written as. F32 holds every dequantised value exactly; F16 and BF16 round those
    /// of quantised tensors (a Q4_1 value is scale * q + minimum: up to 15 significant bits and more).
    TensorType type = TensorType::f32;
    std::uint64_t max_shard_bytes = 5'000'000'000;
    /// Whether a folder that exists and is not empty may be replaced as a whole.
    bool replace = false;
    /// Further files of the folder, by name, e.g. where the model came from.
    std::map<std::string, std::string> extra_files;
    /// Looked at between two tensors, or between two files of a folder that is copied.
    StopToken stop = {};
    /// Told the elements written so far and in all, after every tensor.
    std::function<void(std::uint64_t, std::uint64_t)> written = {};
};

struct GgufImportReport {
    std::filesystem::path folder;
    std::string architecture;  ///< "LlamaForCausalLM"
    std::string quantisation;  ///< of the most weights, e.g. "Q4_1"
    std::string pre_tokenizer; ///< tokenizer.ggml.pre
    std::int64_t parameters = 0;
    std::int64_t tokens = 0;
    std::uint64_t bytes = 0; ///< of the weights written
};

/// Writes a GGUF model (architectures llama and qwen2, byte-level BPE tokenizer) as a Hugging Face folder
/// that transformers loads unchanged: config.json, generation_config.json, model.safetensors, tokenizer.json,
/// tokenizer_config.json, special_tokens_map.json. q and k rows, which GGUF stores permuted for llama, are
/// put back in Hugging Face's order. Everything is checked before the first byte is written, and the folder
/// appears as a whole or not at all. Throws Error(unsupported) naming what is outside of this (architecture,
/// quantisation, rope scaling, tokenizer model or pre-tokenizer), Error(bad_input) for a broken file or a
/// target that is not empty, Error(stopped), Error(io, disk_full).
GgufImportReport import_gguf(const std::filesystem::path& file, const std::filesystem::path& target,
                             const GgufImportOptions& options = {});

/// Throws Error(bad_input) where `target` exists and is no empty folder, or with `replace` no folder.
void require_import_target(const std::filesystem::path& target, bool replace);

/// config.json of the model in `gguf`. Sizes come from the metadata; whether the head is tied and layers have
/// biases from the tensors there are. Throws Error(unsupported, bad_input).
Json config_from_gguf(const GgufReader& gguf, TensorType type);

/// The tokenizer files, by name, that say what llama.cpp does with this file's text.
/// tokenizer.json is a text, so that its vocabulary keeps the order of ids.
struct GgufTokenizer {
    std::string tokenizer_json;
    Json tokenizer_config;
    Json special_tokens_map = Json::object();
    Json generation_config;
};
GgufTokenizer tokenizer_from_gguf(const GgufReader& gguf);

} // namespace tempera
