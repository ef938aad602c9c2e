#pragma once

#include "core/base/stop_token.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace tempera {

/// Throws Error(disk_full) where the disk of `folder` (or of its nearest parent that exists) has less than
/// `bytes` free; `what` names in the sentence what needs them: "The merged model".
void require_space(const std::filesystem::path& folder, std::uint64_t bytes, const std::string& what);

/// Bytes done and in all.
using CopyProgress = std::function<void(std::uint64_t, std::uint64_t)>;

/// Copies the files of a folder and its sub-folders, links followed, into `target`, which appears as a whole
/// or not at all. Throws Error(bad_input) where `target` exists and is no empty folder or lies within
/// `source`, Error(disk_full) before the first byte where there is no room, Error(stopped), Error(io).
void copy_folder(const std::filesystem::path& source, const std::filesystem::path& target,
                 const CopyProgress& progress = {}, const StopToken& stop = {});

} // namespace tempera
