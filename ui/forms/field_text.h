#pragma once

#include "core/recipe/field.h"

#include <QString>

namespace tempera {

/// A value as a user types it: "5e-06", "true", "0.1, 0.3", "tiny". parse_field_value reads it back.
QString fieldText(const Json& value);
/// "between 0 and 1", "above 0", "" where there is no limit.
QString rangeText(const Field& field);

} // namespace tempera
