#include "core/base/file_lock.h"

#include "core/base/files.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace tempera {

FileLock::FileLock(const std::filesystem::path& file)
    : fd_(open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
    if (fd_ < 0) fail_errno("Cannot write", file, errno);
    while (flock(fd_, LOCK_EX) != 0) {
        if (errno == EINTR) continue;
        const int reason = errno;
        close(fd_);
        fail_errno("Cannot lock", file, reason);
    }
}

FileLock::~FileLock() {
    close(fd_);
}

} // namespace tempera
