#pragma once

#include "core/base/json.h"
#include "ui/feed_types.h"

#include <QString>

#include <vector>

namespace tempera {

/// A line of the plan beside the form.
struct PlanLine {
    QString label;
    QString text;
};

/// What a recipe or study will do, as far as it follows from its fields: steps, samples, checkpoints; time,
/// memory and disk from earlier finished runs of the same kind and model, named, and "not known" without one:
/// nothing is guessed. Last, what is free on the workspace's disk, and whether that is enough.
std::vector<PlanLine> planOf(const Json& recipe_or_study, const Catalogue& earlier);

} // namespace tempera
