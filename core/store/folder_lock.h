#pragma once

#include <filesystem>
#include <string>

namespace tempera {

/// An exclusive flock on a folder or file, freed by the kernel when its holder dies, however it dies.
class FolderLock {
public:
    /// Locks the folder itself: nothing is written, so it also works where the disk is full.
    /// Throws Error(busy) with `busy_sentence`, or Error(io, not_found).
    FolderLock(const std::filesystem::path& folder, const std::string& busy_sentence);
    ~FolderLock();
    FolderLock(const FolderLock&) = delete;
    FolderLock& operator=(const FolderLock&) = delete;

private:
    int fd_;
};

/// The workspace's lock file: an flock on `workspace.lock`, whose text names the holder for whoever is
/// refused.
class WorkspaceLock {
public:
    /// Throws Error(busy) naming the holder's process id and program; Error(io) where the folder cannot be
    /// written.
    explicit WorkspaceLock(const std::filesystem::path& folder);
    ~WorkspaceLock();
    WorkspaceLock(const WorkspaceLock&) = delete;
    WorkspaceLock& operator=(const WorkspaceLock&) = delete;

private:
    int fd_;
};

/// Whether a program holds the workspace's lock now. Writes nothing; a folder that cannot be read counts as
/// free.
bool workspace_is_held(const std::filesystem::path& folder);

} // namespace tempera
