#pragma once

#include "core/base/json.h"
#include "core/store/records.h"

#include <QString>

#include <vector>

namespace tempera {

/// A line of the plan beside the form.
struct PlanLine {
    QString label;
    QString text;
};

/// What a recipe or study will do, as far as it follows from its fields: steps, samples, checkpoints; time
/// and memory from earlier finished runs of the same kind and model, named, and "not known" without one:
/// nothing is guessed.
std::vector<PlanLine> planOf(const Json& recipe_or_study, const std::vector<RunRecord>& earlier);

} // namespace tempera
