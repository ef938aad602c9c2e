#pragma once

#include "core/store/records.h"

namespace tempera {

/// What the scores of a run's samples say.
enum class Scoring {
    verdict, ///< the verifier's, of an equation: 1 right, above 0 wrong, 0 no answer
    share,   ///< a checker's, of a reply as a whole: 1 all right, less not all
    free     ///< a reward model's or another judge's: more is better, and that is all
};
Scoring scoringOf(const RunRecord& run);

} // namespace tempera
