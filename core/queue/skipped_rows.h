#pragma once

#include "core/data/task_rows.h"
#include "core/queue/engine.h"

namespace tempera {

/// A warning that says how many rows of the data were skipped and why, and one for every note of what was not
/// read; nothing where there is nothing to say.
void report_skipped(const SkippedRows& skipped, RunObserver& observer);

} // namespace tempera
