#pragma once

#include "core/base/json.h"
#include "core/stats/win_rate.h"
#include "core/store/records.h"

#include <span>
#include <string>

namespace tempera::cli {

/// How the tuned model (B) does against the base (A) over these prompts.
WinRate compared(std::span<const Comparison> comparisons);
Json to_json(const WinRate& found);

/// Win-rate with its interval, ties, sign test and mean difference; below them the prompts on which B is
/// worst and best against A, one line each, cut to `columns` (0 = no limit).
std::string comparison_table(std::span<const Comparison> comparisons, int columns);

} // namespace tempera::cli
