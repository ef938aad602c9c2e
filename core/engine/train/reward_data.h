#pragma once

#include "core/data/preferences.h"
#include "core/engine/reward/reward_text.h"
#include "core/queue/engine.h"
#include "core/recipe/reward_recipe.h"

#include <optional>
#include <vector>

namespace tempera {

/// A pair as the encoder reads it; for regression maybe one text with its score alone, as `chosen`.
struct RewardPair {
    EncoderInput chosen;
    std::optional<EncoderInput> rejected;
    std::optional<double> score_chosen, score_rejected;
    double margin = 0;
    std::int64_t row = 0; ///< of the file, from 1
};

struct RewardData {
    std::vector<RewardPair> train;
    std::vector<RewardPair> validation; ///< pairs before single texts
};

/// Makes `folder`: the tokenizer files of `model`, with `added_tokens` that the vocabulary does not have as
/// special tokens behind its last id. Throws Error(unsupported) where tokens are to be added and there is no
/// tokenizer.json.
void prepare_tokenizer(const std::filesystem::path& model, const std::vector<std::string>& added_tokens,
                       const std::filesystem::path& folder);

/// The recipe's pairs, tokenised. A row that lacks a score (regression, which takes rows with one scored
/// text too) or a margin (use_margin) is one that cannot be used. Throws Error as make_preference_set().
RewardData load_reward_data(const RewardRecipe& recipe, const RewardTokeniser& tokeniser,
                            RunObserver& observer);

/// Names the pairs by their tokens, scores and margins (TrainedOn).
std::string content_of(const RewardData& data);

} // namespace tempera
