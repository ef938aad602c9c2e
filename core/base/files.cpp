#include "core/base/files.h"

#include "core/base/error.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <random>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace fs = std::filesystem;

namespace tempera {

namespace {

/// Owns a file descriptor.
class Descriptor {
public:
    Descriptor(const fs::path& path, int flags, const std::string& action)
        : fd_(open(path.c_str(), flags | O_CLOEXEC, 0644)) {
        if (fd_ < 0) fail_errno(action, path, errno);
    }
    ~Descriptor() { close(fd_); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    operator int() const { return fd_; }

private:
    int fd_;
};

void sync_path(const fs::path& path, int flags) {
    Descriptor fd(path, flags, "Cannot sync");
    if (fsync(fd) != 0) fail_errno("Cannot sync", path, errno);
}

fs::path temporary_sibling(const fs::path& target) {
    thread_local std::mt19937_64 generator{std::random_device{}()};
    return target.parent_path() / (target.filename().string() + ".tmp-" + std::to_string(generator()));
}

fs::path parent_of(const fs::path& path) {
    return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

} // namespace

void fail_errno(const std::string& action, const fs::path& path, int error_number) {
    bool full = error_number == ENOSPC || error_number == EDQUOT;
    std::string sentence = action + " " + path.string() + ": " + std::strerror(error_number) + ".";
    if (full) sentence += " Free some space on that disk.";
    fail(full                     ? ErrorKind::disk_full
         : error_number == ENOENT ? ErrorKind::not_found
                                  : ErrorKind::io,
         sentence);
}

std::string read_file(const fs::path& path, std::size_t max_bytes) {
    Descriptor fd(path, O_RDONLY | O_NONBLOCK,
                  "Cannot read"); // a named pipe must not hang us; it is refused below
    struct stat status {};
    if (fstat(fd, &status) != 0) fail_errno("Cannot read", path, errno);
    if (!S_ISREG(status.st_mode))
        fail(ErrorKind::bad_input, "Cannot read " + path.string() + ": it is not a file.");
    auto size = static_cast<std::size_t>(status.st_size);
    if (size > max_bytes)
        fail(ErrorKind::bad_input, path.string() + " is larger (" + std::to_string(size) + " bytes) than the "
                                       + std::to_string(max_bytes) + " allowed here.");
    std::string content(size, '\0');
    std::size_t done = 0;
    while (done < size) {
        ssize_t count = read(fd, content.data() + done, size - done);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail_errno("Cannot read", path, errno);
        if (count == 0) fail(ErrorKind::io, path.string() + " became shorter while it was read.");
        done += static_cast<std::size_t>(count);
    }
    return content;
}

StagedFile::StagedFile(fs::path target) : target_(std::move(target)), staging_(temporary_sibling(target_)) {
    std::error_code ignored;
    const fs::file_status status = fs::status(target_, ignored);
    if (fs::exists(status) && !fs::is_regular_file(status))
        fail(ErrorKind::bad_input,
             "Cannot write to " + target_.string() + ": it exists and is not a file. Give another name.");
    fd_ = open(staging_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd_ < 0) fail_errno("Cannot create", target_, errno);
}

StagedFile::~StagedFile() {
    if (fd_ < 0) return;
    close(fd_);
    unlink(staging_.c_str());
}

void StagedFile::write(std::string_view bytes) {
    while (!bytes.empty()) {
        ssize_t count = ::write(fd_, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail_errno("Cannot write", target_, errno);
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
}

void StagedFile::commit() {
    if (fsync(fd_) != 0) fail_errno("Cannot sync", target_, errno);
    if (rename(staging_.c_str(), target_.c_str()) != 0) fail_errno("Cannot replace", target_, errno);
    close(std::exchange(fd_, -1));
    sync_path(parent_of(target_), O_RDONLY | O_DIRECTORY);
}

void write_file_atomic(const fs::path& path, std::string_view content) {
    StagedFile file(path);
    file.write(content);
    file.commit();
}

void make_folders(const fs::path& folder) {
    std::error_code error;
    if (!folder.empty()) fs::create_directories(folder, error); // "" is where we are
    if (error) fail_errno("Cannot create folder", folder, error.value());
}

TemporaryFolder::TemporaryFolder(const fs::path& prefix)
    : path_(prefix.string() + std::to_string(std::random_device{}())) {
    make_folders(path_);
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

StagedFolder::StagedFolder(fs::path target)
    : target_(std::move(target)), staging_(temporary_sibling(target_)) {
    std::error_code error;
    fs::create_directories(staging_, error);
    if (error) fail_errno("Cannot create folder", target_, error.value());
}

StagedFolder::~StagedFolder() {
    std::error_code ignored;
    if (!committed_) fs::remove_all(staging_, ignored);
}

void StagedFolder::commit() {
    for (const auto& entry : fs::recursive_directory_iterator(staging_)) {
        if (entry.is_directory())
            sync_path(entry.path(), O_RDONLY | O_DIRECTORY);
        else if (entry.is_regular_file())
            sync_path(entry.path(), O_RDONLY);
    }
    sync_path(staging_, O_RDONLY | O_DIRECTORY);

    // rename cannot replace a folder that is not empty: the old one steps aside first and goes afterwards.
    fs::path aside;
    if (fs::exists(target_)) {
        aside = temporary_sibling(target_);
        if (rename(target_.c_str(), aside.c_str()) != 0) fail_errno("Cannot replace", target_, errno);
    }
    if (rename(staging_.c_str(), target_.c_str()) != 0) {
        int reason = errno;
        if (!aside.empty()) rename(aside.c_str(), target_.c_str());
        fail_errno("Cannot create", target_, reason);
    }
    committed_ = true;
    sync_path(parent_of(target_), O_RDONLY | O_DIRECTORY);
    std::error_code ignored;
    if (!aside.empty()) fs::remove_all(aside, ignored);
}

void sweep_staged(const fs::path& folder) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(folder, ignored))
        if (entry.path().filename().string().find(".tmp-") != std::string::npos)
            fs::remove_all(entry.path(), ignored);
}

} // namespace tempera
