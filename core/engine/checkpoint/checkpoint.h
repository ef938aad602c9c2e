#pragma once

#include "core/base/files.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace tempera {

/// Checkpoints of a run: folders `checkpoints`/<step>/ that appear whole or not at all. Each holds
/// manifest.json, written last, with the size and CRC-32C of every other file.

/// Writes checkpoint `step`: `fill` puts the files into the folder it is given. Returns the checkpoint's
/// folder. Throws what `fill` throws and Error(io, disk_full); there is then no such checkpoint, and the
/// older ones are as they were.
std::filesystem::path write_checkpoint(const std::filesystem::path& checkpoints, std::int64_t step,
                                       const std::function<void(const std::filesystem::path&)>& fill);

/// "" where the folder is complete and unharmed, else a sentence.
std::string checkpoint_damage(const std::filesystem::path& folder);

/// Steps that have a folder, ascending; whether they verify is not looked at.
std::vector<std::int64_t> checkpoint_steps(const std::filesystem::path& checkpoints);

/// The newest checkpoint that verifies. `complaint` gets a sentence for every newer one that does not.
std::optional<std::int64_t> newest_checkpoint(const std::filesystem::path& checkpoints,
                                              const std::function<void(const std::string&)>& complaint);

/// Removes all but the newest `keep` and those in `precious`.
void prune_checkpoints(const std::filesystem::path& checkpoints, std::int64_t keep,
                       const std::set<std::int64_t>& precious);

} // namespace tempera
