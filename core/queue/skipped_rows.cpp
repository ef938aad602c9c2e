#include "core/queue/skipped_rows.h"

namespace tempera {

void report_skipped(const SkippedRows& skipped, RunObserver& observer) {
    for (const auto& note : skipped.notes)
        observer.on_event({0, 0, -1, "warning", note});
    if (skipped.count > 0) observer.on_event({0, 0, -1, "warning", sentence_of(skipped)});
}

} // namespace tempera
