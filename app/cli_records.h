#pragma once

#include "core/base/json.h"
#include "core/store/record_json.h"
#include "core/store/run_reader.h"
#include "core/store/workspace.h"

#include <filesystem>
#include <string>

namespace tempera::cli {

Json to_json(const RunRecord& record, const std::filesystem::path& folder);
Json to_json(const SweepCell& cell);
Json to_json(const SweepRow& row);
/// Everything a sweep measured: {"cells": [..], "rows": [..], "best": {..}, "paper": {..}}; "paper" where it
/// applies.
Json sweep_to_json(const RunReader& reader, const Json& recipe);

/// The run that `id` (or an unambiguous beginning of it) names. Throws UsageError with the nearest id.
RunRecord find_run(const Workspace& workspace, const std::string& id);

struct ShownRun {
    RunRecord record;
    std::filesystem::path folder;
};
/// A run of the workspace (the default one where `workspace` is empty) by its id, or a run folder that lies
/// anywhere. Throws UsageError.
ShownRun find_shown_run(const std::filesystem::path& workspace, const std::string& run);

/// "12:05" for how long it took, "" where it has not ended.
std::string time_taken(const RunRecord& record);
/// "eval_loss 0.41, best 0.81", "" where there is none.
std::string headline_words(const RunRecord& record);

} // namespace tempera::cli
