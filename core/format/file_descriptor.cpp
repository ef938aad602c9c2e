#include "core/format/file_descriptor.h"

#include "core/base/error.h"
#include "core/base/files.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tempera {

FileDescriptor::FileDescriptor(const std::filesystem::path& path, int flags, const char* action)
    : fd_(open(path.c_str(), flags | O_CLOEXEC, 0644)) {
    if (fd_ < 0) fail_errno(action, path, errno);
}

FileDescriptor::~FileDescriptor() {
    close();
}

void FileDescriptor::close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

// O_NONBLOCK: a named pipe in a model folder must not hang the program; on a regular file it changes nothing.
InputFile::InputFile(const std::filesystem::path& path)
    : path_(path), fd_(path, O_RDONLY | O_NONBLOCK, "Cannot read") {
    struct stat status {};
    if (fstat(fd_.get(), &status) != 0) fail_errno("Cannot read", path, errno);
    if (!S_ISREG(status.st_mode))
        fail(ErrorKind::bad_input, "Cannot read " + path.string() + ": it is not a regular file.");
    size_ = static_cast<std::uint64_t>(status.st_size);
    modified_seconds_ = status.st_mtim.tv_sec;
    modified_nanoseconds_ = status.st_mtim.tv_nsec;
}

void InputFile::read_at(std::uint64_t offset, std::span<std::byte> into) const {
    constexpr std::size_t most = 1u << 30; // Linux reads at most 2 GiB a call
    std::size_t done = 0;
    while (done < into.size()) {
        ssize_t count = pread(fd_.get(), into.data() + done, std::min(into.size() - done, most),
                              static_cast<off_t>(offset + done));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail_errno("Cannot read", path_, errno);
        if (count == 0)
            fail(ErrorKind::io, path_.string() + " became shorter while it was read; load it again.");
        done += static_cast<std::size_t>(count);
    }
    struct stat status {};
    if (fstat(fd_.get(), &status) != 0) fail_errno("Cannot read", path_, errno);
    if (static_cast<std::uint64_t>(status.st_size) != size_ || status.st_mtim.tv_sec != modified_seconds_
        || status.st_mtim.tv_nsec != modified_nanoseconds_)
        fail(ErrorKind::io,
             path_.string() + " was changed by another program while it was read; load it again.");
}

} // namespace tempera
