#include "core/store/folder_lock.h"

#include "core/base/error.h"
#include "core/base/files.h"

#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <fstream>
#include <sys/file.h>
#include <thread>
#include <unistd.h>

namespace fs = std::filesystem;

namespace tempera {

namespace {

std::string program_name() {
    std::ifstream file("/proc/self/comm");
    std::string name;
    std::getline(file, name);
    return name;
}

/// "process 4242 (tempera)" as the holder wrote it, or a phrase that admits ignorance.
std::string holder_of(int fd) {
    char text[200];
    ssize_t count = pread(fd, text, sizeof text - 1, 0);
    std::string holder(text, count > 0 ? static_cast<std::size_t>(count) : 0);
    holder = holder.substr(0, holder.find('\n'));
    for (char& c : holder)
        if (static_cast<unsigned char>(c) < ' ') c = '?';
    return holder.empty() ? "another program" : holder;
}

/// A reader that looks whether the lock is free holds it for some microseconds: that must refuse nobody.
bool lock_patiently(int fd) {
    for (int tries = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; ++tries) {
        if (errno != EWOULDBLOCK || tries == 5) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return true;
}

} // namespace

FolderLock::FolderLock(const fs::path& folder, const std::string& busy_sentence)
    : fd_(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (fd_ < 0) fail_errno("Cannot open folder", folder, errno);
    if (flock(fd_, LOCK_EX | LOCK_NB) == 0) return;
    int reason = errno;
    close(fd_);
    if (reason == EWOULDBLOCK) fail(ErrorKind::busy, busy_sentence);
    fail_errno("Cannot lock folder", folder, reason);
}

FolderLock::~FolderLock() {
    close(fd_);
}

WorkspaceLock::WorkspaceLock(const fs::path& folder) {
    fs::path path = folder / "workspace.lock";
    fd_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd_ < 0) fail_errno("Cannot write in the workspace", folder, errno);
    if (!lock_patiently(fd_)) {
        int reason = errno;
        std::string holder = holder_of(fd_);
        close(fd_);
        if (reason != EWOULDBLOCK) fail_errno("Cannot lock", path, reason);
        fail(ErrorKind::busy, "The workspace " + folder.string() + " is in use by " + holder
                                  + ". Close that program, or open the workspace read-only.");
    }
    // Best effort: the lock holds without the text, for example on a full disk.
    std::string text = "process " + std::to_string(getpid()) + " (" + program_name() + ")\n";
    if (ftruncate(fd_, 0) != 0 || pwrite(fd_, text.data(), text.size(), 0) < 0) return;
}

WorkspaceLock::~WorkspaceLock() {
    if (ftruncate(fd_, 0) != 0) { // the next holder overwrites it anyway
    }
    close(fd_);
}

bool workspace_is_held(const fs::path& folder) {
    int fd = open((folder / "workspace.lock").c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    bool held = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    close(fd);
    return held;
}

} // namespace tempera
