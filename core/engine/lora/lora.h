#pragma once

#include "core/base/json.h"
#include "core/engine/model/decoder.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace tempera {

/// What PEFT's adapter_config.json says of a LoRA adapter (peft 0.21, LoraConfig).
struct LoraConfig {
    std::int64_t r = 8;
    double alpha = 8;
    double dropout = 0;
    bool rslora = false;               ///< scaling alpha / sqrt(r) instead of alpha / r
    std::vector<std::string> targets;  ///< whole module paths or their ends, e.g. "q_proj"; {"all-linear"}
    std::string target_pattern;        ///< a regular expression for the whole path, where `targets` is empty
    std::vector<std::string> excluded; ///< as targets
    std::vector<std::int64_t> blocks;  ///< layers_to_transform; empty = all
    std::map<std::string, std::int64_t> rank_pattern;
    std::map<std::string, double> alpha_pattern;
    std::string base_model; ///< base_model_name_or_path
};

/// Throws Error(unsupported) for what changes the mathematics (DoRA, aLoRA, layer replication, PiSSA-like
/// initialisation, modules_to_save ...), and Error(bad_input) naming the field.
LoraConfig parse_lora_config(const Json& config, const std::string& source);
/// The JSON that PEFT itself loads.
Json to_peft_json(const LoraConfig& config);

/// Puts adapters on the modules that `config` names: A uniform in +-1/sqrt(in) (kaiming with a = sqrt 5), B
/// zero, both float32 on the model's device, not yet requiring gradients. Throws Error(bad_input) where no
/// module matches or, with `every_target`, where one of the targets matches none.
void attach_lora(Decoder& model, const LoraConfig& config, std::uint64_t seed, bool every_target = true);

/// W += scaling * B A in float32 (rounded once to the weight's type), then removes the adapters. Throws
/// Error(numeric) where the result is not finite; the model is then as it was.
void merge_lora(Decoder& model);

/// The same weights (shared, not copied) without the adapters: the model as it was before they were attached.
Decoder without_adapters(const Decoder& model);

/// Every adapter slice of the model, in order.
std::vector<LoraSlice*> lora_slices(Decoder& model);

} // namespace tempera
