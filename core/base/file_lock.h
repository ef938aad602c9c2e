#pragma once

#include "core/base/stop_token.h"

#include <filesystem>

namespace tempera {

/// Waits for an exclusive flock on a lock file, which is made where it is missing and stays behind; the
/// kernel frees the lock when its holder dies. Threads of one program wait for each other too.
class FileLock {
public:
    /// Throws Error(io, disk_full) where the file cannot be made or locked, Error(stopped) where `stop` is
    /// requested while it waits.
    explicit FileLock(const std::filesystem::path& file, const StopToken& stop = {});
    ~FileLock();
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;

private:
    int fd_;
};

} // namespace tempera
