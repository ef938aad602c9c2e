#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace tempera {

/// The whole file as bytes. Its size is checked against `max_bytes` before anything is allocated.
/// Throws Error(not_found, io, bad_input).
std::string read_file(const std::filesystem::path& path, std::size_t max_bytes);

/// A file that appears as a whole or not at all: a temporary sibling until commit(), which fsyncs it, renames
/// it to the target and fsyncs the folder. After a crash there is the old or the new content, never a part.
/// Without commit the destructor removes it.
class StagedFile {
public:
    /// Throws Error(bad_input) where the target exists and is not a file (a folder, a device): renaming would
    /// put a file in its place. Throws Error(io, disk_full).
    explicit StagedFile(std::filesystem::path target);
    ~StagedFile();
    StagedFile(const StagedFile&) = delete;
    StagedFile& operator=(const StagedFile&) = delete;

    /// Throws Error(io, disk_full).
    void write(std::string_view bytes);
    /// An existing target is replaced. Throws Error(io, disk_full); the target is then as it was.
    void commit();

private:
    std::filesystem::path target_;
    std::filesystem::path staging_;
    int fd_ = -1;
};

/// Replaces `path` as a whole through a StagedFile, whose errors it throws.
void write_file_atomic(const std::filesystem::path& path, std::string_view content);

/// A folder that appears as a whole or not at all. Files are written into `path()`, a temporary sibling;
/// `commit()` fsyncs every file and folder, renames it to the target and fsyncs the parent. Without commit
/// the destructor removes it.
class StagedFolder {
public:
    /// Throws Error(io, disk_full) where the parent cannot be created or written.
    explicit StagedFolder(std::filesystem::path target);
    ~StagedFolder();
    StagedFolder(const StagedFolder&) = delete;
    StagedFolder& operator=(const StagedFolder&) = delete;

    const std::filesystem::path& path() const { return staging_; }

    /// An existing target is replaced. Throws Error(io, disk_full); the target is then as it was.
    void commit();

private:
    std::filesystem::path target_;
    std::filesystem::path staging_;
    bool committed_ = false;
};

/// Makes a folder and those above it, as far as they are not there. Throws Error(io, disk_full).
void make_folders(const std::filesystem::path& folder);

/// A folder that goes with the object, and what it holds too: `prefix` with a random number behind it. Throws
/// as make_folders().
class TemporaryFolder {
public:
    explicit TemporaryFolder(const std::filesystem::path& prefix);
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

/// Removes temporary siblings that a killed process left in `folder` (names with ".tmp-").
void sweep_staged(const std::filesystem::path& folder);

/// An Error of the right kind (disk_full for ENOSPC and EDQUOT, else io) for `errno`, e.g. "Cannot write a/b:
/// No space left ...".
[[noreturn]] void fail_errno(const std::string& action, const std::filesystem::path& path, int error_number);

} // namespace tempera
