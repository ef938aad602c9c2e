#pragma once

#include "core/base/json.h"
#include "core/store/run_reader.h"

#include <filesystem>
#include <functional>
#include <optional>

namespace tempera {

/// Data sets for training that a run's answers make, in the shapes that TRL takes. A run of kind pairs has
/// made them itself (artifacts/pairs.jsonl, best.jsonl), by its recipe's min_margin and min_score; these are
/// taken where no option asks for others and they hold a row. Else the sets come from the stored answers: the
/// samples of a sweep or of pairs (whose prompts artifacts/_prompts.jsonl has as turns), the rollouts of
/// training, or the replies of a win-rate.

struct AnswerSetOptions {
    std::optional<double> temperature; ///< of samples; none = all temperatures together
    int n = 0;                         ///< only the first n answers of every prompt and temperature; 0 = all
    std::optional<double> min_score = std::nullopt; ///< of best answers only those that score so much
};

using ReceiveRow = std::function<void(const Json& row)>;

/// {"prompt", "chosen", "rejected", "score_chosen", "score_rejected"}: the best and the worst answer to every
/// prompt whose answers do not all score the same. Returns how many there were.
std::int64_t for_each_preference(const std::filesystem::path& run_folder, const RunReader& run,
                                 const AnswerSetOptions& options, const ReceiveRow& receive);

/// {"prompt", "completion", "score"}: the best answer to every prompt. Returns how many there were.
std::int64_t for_each_best(const std::filesystem::path& run_folder, const RunReader& run,
                           const AnswerSetOptions& options, const ReceiveRow& receive);

} // namespace tempera
