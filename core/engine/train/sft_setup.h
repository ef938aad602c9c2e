#pragma once

#include "core/engine/checkpoint/training_state.h"
#include "core/engine/lora/lora.h"
#include "core/engine/train/examples.h"
#include "core/queue/engine.h"
#include "core/recipe/sft_recipe.h"

#include <optional>

namespace tempera {

/// The model a run trains, with its adapter where the recipe asks for one.
struct TrainedModel {
    Decoder decoder;
    std::optional<LoraConfig> adapter;
    std::filesystem::path tokenizer_folder; ///< where the tokenizer files lie

    /// Writes the weights (or the adapter) as a folder other programs load.
    void save(const std::filesystem::path& folder) const;
};

/// The recipe's model, or the one in `checkpoint`/model where that is not empty.
TrainedModel load_trained_model(const SftRecipe& recipe, const std::filesystem::path& checkpoint);

struct TrainingData {
    TokenisedSet train;
    TokenisedSet validation;
    std::int64_t longest = 0; ///< tokens
};
/// The recipe's examples, tokenised; what was dropped or cut is reported as an event. Throws Error(bad_input)
/// where nothing is left to learn from.
TrainingData load_training_data(const SftRecipe& recipe, const TrainedModel& model, RunObserver& observer);

} // namespace tempera
