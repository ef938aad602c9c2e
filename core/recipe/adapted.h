#pragma once

#include "core/base/json.h"

namespace tempera {

/// Every field of `recipe`, which names its kind, as a run would take it: what it does not hold stands at the
/// default that the rest of it leads to (a preset's, a LoRA's learning rate). Nothing is checked: what does
/// not fit stands at its default. For forms, which show a recipe while it is being made. Throws
/// Error(not_found) for an unknown kind.
Json adapted_recipe(const Json& recipe);

} // namespace tempera
