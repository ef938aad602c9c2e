#include "core/queue/skipped_rows.h"

namespace tempera {

void report_skipped(const SkippedRows& skipped, RunObserver& observer) {
    if (skipped.count > 0) observer.on_event({0, 0, -1, "warning", sentence_of(skipped)});
}

} // namespace tempera
