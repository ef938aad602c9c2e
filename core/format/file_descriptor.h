#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <sys/types.h>
#include <utility>

namespace tempera {

/// Owns an open file. Movable.
class FileDescriptor {
public:
    FileDescriptor() = default;
    /// As open(2), with O_CLOEXEC. `action` begins the error sentence, e.g. "Cannot read". Throws Error(io,
    /// not_found, disk_full).
    FileDescriptor(const std::filesystem::path& path, int flags, const char* action);
    ~FileDescriptor();
    FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    FileDescriptor& operator=(FileDescriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }

    int get() const { return fd_; }
    void close();

private:
    int fd_ = -1;
};

/// A regular file open for reading at any offset from any thread. Read with pread into memory the caller owns
/// and never mapped: a file cut short while it is mapped kills the process. A file that changes while it is
/// open is reported.
class InputFile {
public:
    /// Throws Error(not_found, io, bad_input: not a regular file).
    explicit InputFile(const std::filesystem::path& path);

    const std::filesystem::path& path() const { return path_; }
    std::uint64_t size() const { return size_; }

    /// Fills `into` from `offset`. Throws Error(io) where the file ends sooner or was changed since it was
    /// opened.
    void read_at(std::uint64_t offset, std::span<std::byte> into) const;

private:
    std::filesystem::path path_;
    FileDescriptor fd_;
    std::uint64_t size_ = 0;
    std::int64_t modified_seconds_ = 0;
    std::int64_t modified_nanoseconds_ = 0;
};

} // namespace tempera
