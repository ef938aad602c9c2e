#pragma once

#include "core/engine/train/pair_examples.h"
#include "core/engine/train/reference.h"
#include "core/engine/train/trained_model.h"
#include "core/engine/train/training_run.h"
#include "core/recipe/dpo_recipe.h"

#include <optional>

namespace tempera {

struct PairData {
    TokenisedPairs train;
    TokenisedPairs validation;
    std::int64_t longest() const { return std::max(train.longest, validation.longest); }
};

/// The recipe's pairs, tokenised; what was dropped or cut is reported as an event. Throws Error(bad_input)
/// where nothing is left to learn from.
PairData load_pairs(const DpoRecipe& recipe, const TrainedModel& model, RunObserver& observer);

/// Names the pairs by their tokens (TrainedOn).
std::string content_of(const PairData& data);

/// The reference: log-probabilities that are known, and the model that computes the others.
struct Reference {
    ReferenceLogprobs train;
    ReferenceLogprobs validation;
    std::optional<Decoder> decoder; ///< none where all that the run needs is known
    RopeTable rope;
};

/// As the recipe's `reference` says. `rows` are those of the training pairs that the run will see. Nothing
/// where it was cancelled. Throws as load_decoder() and fill_reference().
std::optional<Reference> prepare_reference(const DpoRecipe& recipe, const TrainedModel& policy,
                                           const PassContext& context, const PairData& data,
                                           const std::vector<std::int64_t>& rows, const TrainingRun& run);

} // namespace tempera
