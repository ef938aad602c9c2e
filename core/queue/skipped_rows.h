#pragma once

#include "core/data/task_rows.h"
#include "core/queue/engine.h"

namespace tempera {

/// A warning that says how many rows of the data were skipped and why; nothing where none was.
void report_skipped(const SkippedRows& skipped, RunObserver& observer);

} // namespace tempera
