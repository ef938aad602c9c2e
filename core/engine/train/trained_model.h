#pragma once

#include "core/engine/lora/lora.h"
#include "core/queue/engine.h"
#include "core/recipe/shared_fields.h"
#include "core/text/tokenizer.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <vector>

namespace tempera {

/// The decoder a run trains, with its adapter where the recipe asks for one.
struct TrainedModel {
    Decoder decoder;
    std::optional<LoraConfig> adapter;
    std::filesystem::path tokenizer_folder; ///< where the tokenizer files lie; what `below` stands on
    std::vector<LoraSlice> below; ///< adapters that are merged into the weights under `adapter`, lowest first

    /// Writes the weights (or the adapter alone), which is what a run goes on from.
    void save(const std::filesystem::path& folder) const;
    /// Makes of a folder that save() wrote one that other programs load: PEFT takes no adapter for the base
    /// of another, so an adapter that was trained on adapters becomes one with theirs (flatten_adapter()).
    void complete(const std::filesystem::path& folder) const;
};

/// The model in the folder `model`, with a fresh adapter (drawn by `seed`) where `lora` asks for one; or,
/// where `checkpoint` is not empty, what a run of the same recipe left in `checkpoint`/model. An adapter
/// folder is merged first, so "adapter off" is always the model that the run started from.
TrainedModel load_trained_model(const std::string& model, const LoraFields& lora, std::uint64_t seed,
                                const std::filesystem::path& checkpoint);

/// The model's tokenizer. Throws Error(bad_input) where it has ids that the model does not embed.
Tokenizer load_tokenizer(const TrainedModel& model);

/// The token that ends a text: the tokenizer's, else the first of the model's; -1 where neither names one.
std::int32_t end_of_text(const Tokenizer& tokenizer, const ModelConfig& config);

/// How many positions the model that has the fewest of those reading a row has: of those behind them it has
/// learnt nothing.
struct Positions {
    std::int64_t count = 0;
    const char* whose = "The model";

    std::int64_t within(std::int64_t max_length) const { return std::min(max_length, count); }
};
/// Warns where that has cut or dropped so many rows.
void report_length(std::int64_t rows, std::int64_t max_length, const Positions& positions,
                   RunObserver& observer);

LoraConfig lora_config_of(const LoraFields& lora, const std::string& base_model);

at::ScalarType compute_type_of(const DeviceFields& fields);

} // namespace tempera
