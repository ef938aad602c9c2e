#pragma once

#include <filesystem>
#include <string_view>

namespace tempera {

/// The path of the file `name` of a model folder, resolved. `name` may come out of a hostile file: it must be
/// a plain file name (no folder, "..", drive, backslash or NUL under the rules of any system), and the file
/// it leads to must lie in the folder or, for a folder of the Hugging Face cache (.../snapshots/<revision>),
/// in the cache entry's blobs folder, where its links point. Throws Error(bad_input) for another name or a
/// link out of the folder, Error(not_found).
std::filesystem::path file_in_model_folder(const std::filesystem::path& folder, std::string_view name);

/// Whether `folder` has an entry of that name (of whatever kind).
bool model_folder_has(const std::filesystem::path& folder, std::string_view name);

} // namespace tempera
