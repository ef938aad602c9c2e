#pragma once

#include "core/base/json.h"
#include "core/store/workspace.h"

#include <optional>
#include <string>

namespace tempera::cli {

/// The study that is meant: by its id, or the newest of that name.
std::optional<StudyRecord> find_study(const Workspace& workspace, const std::string& name);

/// The study's stages in the order they ran: status, result and, where a stage names one, the paper's value.
std::string study_table(const Workspace& workspace, const StudyRecord& study);
Json study_to_json(const Workspace& workspace, const StudyRecord& study);

} // namespace tempera::cli
