#pragma once

#include "core/engine/lora/lora.h"
#include "core/engine/model/decoder_io.h"

#include <span>

namespace tempera {

// Adapters that stand on adapters.

/// The slices of adapter folders, one after the other. `model` has the shapes that they fit; whether it has
/// adapters of its own does not matter. Throws as load_adapter().
std::vector<LoraSlice> stacked_slices(const Decoder& model, std::span<const std::filesystem::path> adapters);

/// Rewrites the adapter in `folder`, which stands on the model in `base` with `below` merged into it, as one
/// that stands on `base` itself: for every module the sum of its low-rank products, as one product of the
/// sum of their ranks (scaling 1, B already scaled). PEFT and load_decoder() then give the same logits, up to
/// fp32 rounding, as the stack has; with the adapter off they give those of `base`. `model` as above. Throws
/// as load_adapter() and save_adapter().
void flatten_adapter(const Decoder& model, std::span<const LoraSlice> below,
                     const std::filesystem::path& base, const std::filesystem::path& folder);

/// The model in the folder `model` with the adapter in `adapter` on it, not merged. Throws as load_decoder()
/// and load_adapter(), and Error(bad_input) where `model` is an adapter folder that holds the same adapter,
/// or a part of it, already.
Decoder load_with_adapter(const std::filesystem::path& model, const std::filesystem::path& adapter,
                          const TensorProgress& progress = {});

} // namespace tempera
