#include "ui/models/scoring.h"

#include "core/base/json.h"

namespace tempera {

Scoring scoringOf(const RunRecord& run) {
    if (run.kind != "pairs") return Scoring::verdict;
    const Json recipe = Json::parse(run.recipe, nullptr, false);
    const Json judge = recipe.is_object() ? recipe.value("judge", Json()) : Json();
    return judge == "reward_model" || judge == "remote" ? Scoring::free : Scoring::share;
}

} // namespace tempera
