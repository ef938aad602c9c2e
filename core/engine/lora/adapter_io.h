#pragma once

#include "core/engine/lora/lora.h"

#include <span>

namespace tempera {

/// adapter_config.json of a PEFT folder. Throws Error.
LoraConfig read_lora_config(const std::filesystem::path& folder);

/// Attaches the adapter that PEFT (or save_adapter) wrote into `folder`. Throws Error naming the tensor that
/// is missing, too many or mis-shaped; the model is then as it was.
LoraConfig load_adapter(Decoder& model, const std::filesystem::path& folder);

/// Writes `slices` (of different modules) as adapter_model.safetensors (F32) and adapter_config.json as PEFT
/// does; `folder` exists. Throws Error(io, disk_full).
void save_adapter(std::span<const LoraSlice> slices, const LoraConfig& config,
                  const std::filesystem::path& folder);
/// The same with those that are on the model.
void save_adapter(const Decoder& model, const LoraConfig& config, const std::filesystem::path& folder);

} // namespace tempera
