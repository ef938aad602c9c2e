#pragma once

#include <cstdint>
#include <filesystem>

namespace tempera {

/// Files that save time and may be lost: one folder below cache_folder() for each kind. A file's time of last
/// change says when it was of use last.

/// Marks `file` as used now. No error where it cannot.
void mark_used(const std::filesystem::path& file);

/// Removes those beside `newest` with its extension that were not used for longest, until all take at most
/// `most_bytes`; `newest` stays. Another process may do the same: a file that is gone already is no error.
void prune_kept(const std::filesystem::path& newest, std::uintmax_t most_bytes);

} // namespace tempera
