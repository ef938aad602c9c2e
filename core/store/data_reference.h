#pragma once

#include "core/store/model_reference.h"

namespace tempera {

/// The run that a data reference of the form "run:ID", "@stage", or either with "/FILE" behind it, names;
/// none for every other form. Throws Error(not_found) with the nearest name.
std::optional<RunRecord> referred_data_run(const std::string& reference, const ModelScope& scope);

/// The file (absolute) that such a reference stands for, in the artifacts/ folder that the run left: FILE,
/// else synthetic.jsonl or pairs.jsonl, else the only .jsonl file there is. "owner/name", with "@revision" or
/// "/path" behind it, where no path of that name exists, is a data set of the hub: its folder or file, as
/// resolve_repository() finds it. Any other text is the path of a file, or a generator's name, and stays as
/// it is. Throws Error(not_found) naming what is there, Error(bad_input) for a FILE that is no plain file
/// name, and what a download throws.
std::filesystem::path resolve_data(const std::string& reference, const ModelScope& scope);

/// The files that a run has left as data, what "run:ID" alone stands for first. Those whose names begin with
/// "_" it keeps for itself.
std::vector<std::filesystem::path> left_data(const std::filesystem::path& run_folder);

} // namespace tempera
