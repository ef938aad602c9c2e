#pragma once

#include "core/base/stop_token.h"
#include "core/store/workspace.h"

#include <filesystem>
#include <string>
#include <vector>

namespace tempera {

/// The kind of a run that another program did. It has no fields; its recipe says where it came from.
inline constexpr const char* imported_kind = "imported";

struct ImportReport {
    RunRecord run;
    std::int64_t metrics = 0; ///< different ones
    std::int64_t points = 0;  ///< their values
    std::int64_t completions = 0;
    std::vector<std::string> notes; ///< what was left out, one sentence each
};

/// Takes what TensorBoard shows of a run into the workspace as a finished run, one for every folder with
/// event files at or below `path` (as TensorBoard counts runs). Metrics get the names that they have here
/// (metric_of_tag), or their tags where two would share one. `name` "" = the folder's. Nothing is left of an
/// import that throws: Error(not_found, bad_input, io, disk_full, stopped).
std::vector<ImportReport> import_tensorboard(Workspace& workspace, const std::filesystem::path& path,
                                             const std::string& name = "", const StopToken& stop = {});

/// Takes the completions that TRL's GRPO and RLOO trainers log (completions_*.parquet, or any file or folder
/// of data with `prompt`, `completion`, mostly `step` and `advantage`; every other column of numbers is a
/// reward) as the rollouts of a finished run, and as metrics "reward" and "rewards/NAME/mean". A completion
/// that no reward applies to has no score (NaN). Throws as import_tensorboard().
ImportReport import_completions(Workspace& workspace, const std::filesystem::path& path,
                                const std::string& name = "", const StopToken& stop = {});

} // namespace tempera
