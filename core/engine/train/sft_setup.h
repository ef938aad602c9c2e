#pragma once

#include "core/data/token_example.h"
#include "core/engine/train/trained_model.h"
#include "core/queue/engine.h"
#include "core/recipe/sft_recipe.h"

namespace tempera {

/// The recipe's model, drawn anew where initialise is "random", or the one in `checkpoint`/model where that
/// is not empty.
TrainedModel load_trained_model(const SftRecipe& recipe, const std::filesystem::path& checkpoint);

struct TrainingData {
    TokenisedSet train;
    TokenisedSet validation;
    std::int64_t longest = 0; ///< tokens
};
/// The recipe's examples, tokenised; what was dropped or cut is reported as an event. Throws Error(bad_input)
/// where nothing is left to learn from.
TrainingData load_training_data(const SftRecipe& recipe, const TrainedModel& model, RunObserver& observer);

/// Names the examples by their tokens (TrainedOn).
std::string content_of(const TrainingData& data);

} // namespace tempera
