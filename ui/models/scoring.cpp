#include "ui/models/scoring.h"

#include "core/store/record_json.h"

namespace tempera {

Scoring scoringOf(const RunRecord& run) {
    if (run.kind != "pairs") return Scoring::verdict;
    const std::string judge = recipe_text(run, "judge");
    return judge == "reward_model" || judge == "remote" ? Scoring::free : Scoring::share;
}

} // namespace tempera
