#pragma once

#include "core/base/json.h"
#include "core/store/model_reference.h"

#include <string>
#include <vector>

namespace tempera {

/// Whether a queued run can start: the runs that its model and data fields refer to must have finished.
struct Readiness {
    bool ready = true;
    std::string reason; ///< why it will not start by itself; "" where it is ready or its inputs are coming
};
Readiness readiness_of(const RunRecord& record, const Workspace& workspace);

/// The run's recipe as the engine gets it: checked again, complete, model references replaced by absolute
/// folders and data references by absolute files; what the hub has and its cache has not is downloaded where
/// `hub` is given. Throws Error(not_found, bad_input) and what a download throws.
Json resolved_recipe(const RunRecord& record, const Workspace& workspace, const HubAccess* hub = nullptr);

/// A hash of all that a run's result depends on: its recipe but for names, the fingerprints of the runs it
/// starts from, and the files it reads and the program's own libraries (path, size, time). The same
/// fingerprint means the same result.
std::string fingerprint_of(const RunRecord& record, const Json& resolved, const Workspace& workspace);

/// The finished run whose results stand for this stage of a study, if there is one.
std::optional<RunRecord> reusable_run(const RunRecord& record, const std::string& fingerprint,
                                      const Workspace& workspace);

/// Model and data references of the recipe that cannot be resolved are refused. Throws Error(not_found,
/// bad_input).
void check_references(const Json& recipe, const ModelScope& scope);

} // namespace tempera
