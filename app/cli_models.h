#pragma once

#include <filesystem>
#include <string>

namespace tempera::cli {

/// The folder of a model reference as recipes write it; "run:ID" is looked up in the workspace (the default
/// one where `workspace` is empty). Throws UsageError where there is no such model.
std::filesystem::path model_folder(const std::string& reference, const std::filesystem::path& workspace);

/// What a data field means, as a path with "#SPLIT" behind it where it names one: a file or folder, what a run
/// left ("run:ID/FILE"), or a data set of the hub. Throws UsageError where there is no such data.
std::string data_place(const std::string& reference, const std::filesystem::path& workspace);

/// The folder of a LoRA adapter: a path or "run:ID". Throws UsageError where there is none.
std::filesystem::path adapter_folder(const std::string& reference, const std::filesystem::path& workspace);

} // namespace tempera::cli
