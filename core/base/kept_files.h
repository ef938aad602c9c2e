#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace tempera {

/// Files that save time and may be lost: one folder below cache_folder() for each kind. A file's time of last
/// change says when it was of use last.

/// Marks `file` as used now. No error where it cannot.
void mark_used(const std::filesystem::path& file);

/// Writes `file` and its folder, then removes those beside it with its extension that were not used for
/// longest, until all take at most `most_bytes`; `file` stays. Another process may do the same: a file that
/// is gone already is no error. Throws Error(io, disk_full).
void keep_file(const std::filesystem::path& file, std::string_view content, std::uintmax_t most_bytes);

} // namespace tempera
