#pragma once

#include "core/store/database.h"

namespace tempera {

/// Version 1 is the first; every later change is a new entry in the list of migrations, and an entry is never
/// edited.
const Schema& run_schema();       ///< run.db of a run folder
const Schema& workspace_schema(); ///< workspace.db

} // namespace tempera
