#pragma once

#include "core/base/json.h"
#include "core/engine/train/optimiser.h"
#include "core/engine/train/progress_meter.h"

#include <cstdint>
#include <filesystem>
#include <optional>

namespace tempera {

/// What a trainer goes on from, besides weights and moments. The rows of a step, its learning rate and its
/// dropout are functions of (seed, step), so `step` is the position in all of them.
struct TrainingState {
    std::int64_t step = 0;        ///< optimiser steps done
    std::int64_t num_tokens = 0;  ///< tokens trained on so far
    std::uint64_t seed = 0;       ///< of data order and dropout
    std::int64_t rows = 0;        ///< examples in the training set
    std::string data;             ///< names what is trained on by its content; "" in a state of before
    std::int64_t total_steps = 0; ///< the schedule's length
    int threads = 0;              ///< sums are only bit-equal with the same number
    std::optional<double> best_eval_loss;
    std::int64_t best_step = -1;
    std::int64_t evaluations_without_gain = 0; ///< for early stopping
    bool early_stopped = false;
    MeterSums since_log; ///< so that the next logged means are those of an uninterrupted run
};

Json to_json(const TrainingState& state);
TrainingState training_state_from(const Json& json, const std::string& source);

/// Writes optimiser.safetensors (both moments) and state.json into a checkpoint folder.
void save_training_state(const TrainingState& state, Optimiser& optimiser,
                         const std::filesystem::path& folder);
/// Reads them back. Throws Error(bad_input) where they are not of this model.
TrainingState load_training_state(Optimiser& optimiser, const std::filesystem::path& folder);

} // namespace tempera
