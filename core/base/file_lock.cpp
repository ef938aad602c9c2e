#include "core/base/file_lock.h"

#include "core/base/error.h"
#include "core/base/files.h"

#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <sys/file.h>
#include <thread>
#include <unistd.h>

namespace tempera {

FileLock::FileLock(const std::filesystem::path& file, const StopToken& stop)
    : fd_(open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
    if (fd_ < 0) fail_errno("Cannot write", file, errno);
    while (flock(fd_, LOCK_EX | LOCK_NB) != 0) {
        const int reason = errno;
        if (reason != EINTR && reason != EWOULDBLOCK) {
            close(fd_);
            fail_errno("Cannot lock", file, reason);
        }
        if (stop) {
            close(fd_);
            fail(ErrorKind::stopped, "Stopped while another program was at work on the same.");
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

FileLock::~FileLock() {
    close(fd_);
}

} // namespace tempera
