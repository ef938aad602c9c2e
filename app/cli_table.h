#pragma once

#include "core/base/json.h"
#include "core/recipe/catalogue.h"
#include "core/store/records.h"

#include <optional>
#include <string>
#include <vector>

namespace tempera::cli {

/// The temperature x N map as text: one line per temperature, one column per N (at most those that fit
/// `columns`; 1, 3, 5 and 10 stay longest), then the interval of the largest N and the row's figures; below
/// it the best cell and, for Countdown, the paper's values beside ours. `columns` 0 = no limit.
std::string sweep_table(const std::vector<SweepCell>& cells, const std::vector<SweepRow>& rows,
                        const Json& recipe, int columns);

/// The cell with the highest mean (the smallest N and temperature of equals); only finished ones count where
/// there are any.
std::optional<SweepCell> best_cell(const std::vector<SweepCell>& cells);

/// The paper's values where the recipe asks for what the paper measured (Countdown problems), else nothing.
std::optional<PaperValues> paper_beside(const Json& recipe);

/// ".412" and "1.000", as papers print scores.
std::string score_words(double score);

/// Columns of text, the first left-aligned and the others right-aligned, two blanks between them.
std::string text_table(const std::vector<std::vector<std::string>>& rows, std::size_t left_aligned = 1);

} // namespace tempera::cli
