#pragma once

#include "core/engine/model/decoder.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

namespace tempera {

/// Told after every tensor how many elements are done and how many there are; what it throws ends the work.
using TensorProgress = std::function<void(std::int64_t done, std::int64_t total)>;

/// Loads a Hugging Face folder (config.json, safetensors in one file or shards; F32, F16, BF16) as float32 on
/// the CPU. A folder that holds a PEFT adapter (adapter_config.json) loads its base and merges the adapter in
/// fp32; a relative base_model_name_or_path is looked up from the adapter's folder. Throws Error naming the
/// file, field or tensor where something is missing, mis-shaped or not supported.
Decoder load_decoder(const std::filesystem::path& folder, const TensorProgress& progress = {});

/// What a model folder is made of: itself, or the base of an adapter and the adapters on it.
struct AdapterChain {
    std::filesystem::path base;                  ///< holds the weights, the config and the tokenizer
    std::vector<std::filesystem::path> adapters; ///< lowest first; empty for a model of its own
};
/// Throws Error naming the adapter whose base is not named or not there.
AdapterChain adapter_chain(const std::filesystem::path& folder);
/// Its base.
std::filesystem::path base_folder_of(const std::filesystem::path& folder);

/// Fresh weights as transformers initialises them: normal with initializer_range, norms 1, biases 0. The same
/// on every platform for the same seed.
Decoder random_decoder(const ModelConfig& config, std::uint64_t seed);

/// Writes model.safetensors (F32, sharded where large) and config.json into `folder`, which exists: with the
/// tokenizer files it loads in transformers unchanged. Adapters on the model are not written: merge_lora()
/// first. Throws Error(io, disk_full).
void save_decoder(const Decoder& model, const std::filesystem::path& folder,
                  const TensorProgress& progress = {});

/// Copies what a model folder holds besides weights and config.json: tokenizer files, chat template,
/// generation_config.json. Throws Error(io, disk_full).
void copy_tokenizer_files(const std::filesystem::path& from, const std::filesystem::path& to);

/// Moves every weight to a device and type.
void move_decoder(Decoder& model, at::Device device, at::ScalarType type = at::kFloat);

} // namespace tempera
