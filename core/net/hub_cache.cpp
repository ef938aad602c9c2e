#include "core/net/hub_cache.h"

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/json.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <random>
#include <sys/file.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace fs = std::filesystem;

namespace tempera {

namespace {

constexpr std::size_t max_ref = 4096, max_tree = 256u << 20; ///< bytes of these files

/// A folder that is open; its entries are reached through it, whatever else is renamed.
class FolderHandle {
public:
    explicit FolderHandle(const fs::path& path) : path_(path), fd_(::open(path.c_str(), flags)) {
        if (fd_ < 0) fail_errno("Cannot open folder", path, errno);
    }
    ~FolderHandle() { close(fd_); }
    FolderHandle(const FolderHandle&) = delete;
    FolderHandle& operator=(const FolderHandle&) = delete;
    int fd() const { return fd_; }

    /// Goes into a folder, which is made where it is not there; a link is not followed.
    void enter(const std::string& name) {
        path_ /= name;
        if (mkdirat(fd_, name.c_str(), 0755) != 0 && errno != EEXIST)
            fail_errno("Cannot create folder", path_, errno);
        const int inner = openat(fd_, name.c_str(), flags);
        if (inner < 0 && (errno == ELOOP || errno == ENOTDIR))
            fail(ErrorKind::bad_input,
                 path_.string() + " is not a folder of the hub's cache: remove it and try again.");
        if (inner < 0) fail_errno("Cannot open folder", path_, errno);
        close(std::exchange(fd_, inner));
    }

private:
    static constexpr int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    fs::path path_;
    int fd_;
};

std::string random_suffix() {
    thread_local std::mt19937_64 generator{std::random_device{}()};
    return ".tmp-" + std::to_string(generator());
}

} // namespace

HubPlace::HubPlace(const HubSettings& settings, const HubName& name)
    : cache(settings.cache), repository(cache
                                        / (std::string(name.kind == HubKind::model ? "models" : "datasets")
                                           + "--" + name.owner + "--" + name.name)) {}

std::string cached_commit(const HubPlace& place, const std::string& revision) {
    if (is_hex(revision, 40)) return revision;
    std::error_code ignored;
    const fs::path ref = place.repository / "refs" / revision;
    if (!fs::is_regular_file(ref, ignored)) return "";
    std::string commit = read_file(ref, max_ref);
    while (!commit.empty() && (commit.back() == '\n' || commit.back() == '\r' || commit.back() == ' '))
        commit.pop_back();
    return is_hex(commit, 40) ? commit : "";
}

std::int64_t commit_asked_ms(const HubPlace& place, const std::string& revision) {
    std::error_code error;
    const auto written = fs::last_write_time(place.repository / "refs" / revision, error);
    if (error) return 0;
    const auto since = std::chrono::file_clock::to_sys(written).time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
}

void store_commit(const HubPlace& place, const std::string& revision, const std::string& commit) {
    if (is_hex(revision, 40)) return;
    const fs::path ref = place.repository / "refs" / revision;
    if (cached_commit(place, revision) == commit) {
        std::error_code ignored; // no news is news: see commit_asked_ms()
        fs::last_write_time(ref, fs::file_time_type::clock::now(), ignored);
        return;
    }
    make_folders(ref.parent_path());
    write_file_atomic(ref, commit);
}

std::vector<HubFile> cached_files(const HubPlace& place, const std::string& commit) {
    const fs::path folder = place.snapshot(commit);
    std::vector<HubFile> files;
    std::error_code error;
    for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
        std::error_code gone; // a link without its blob
        if (!entry->is_regular_file(gone)) continue;
        const auto size = entry->file_size(gone);
        if (!gone)
            files.push_back({entry->path().lexically_relative(folder).generic_string(), size, "", true});
    }
    std::sort(files.begin(), files.end(), [](const HubFile& a, const HubFile& b) { return a.path < b.path; });
    return files;
}

std::vector<HubFile> stored_tree(const HubPlace& place, const std::string& commit) {
    const fs::path path = place.repository / "trees" / (commit + ".json");
    std::error_code ignored;
    std::vector<HubFile> files;
    if (!fs::is_regular_file(path, ignored)) return files;
    try {
        const Json tree = read_json_file(path, max_tree);
        if (tree.at("format_version") != 1) return {};
        for (const auto& [name, entry] : tree.at("files").items()) {
            const bool large = entry.contains("lfs_sha256");
            HubFile file{name, entry.at(large ? "lfs_size" : "size").get<std::uint64_t>(),
                         entry.at(large ? "lfs_sha256" : "blob_id").get<std::string>()};
            if (!is_safe_path(name) || !is_hex(file.blob, large ? 64 : 40)) return {};
            file.cached = fs::is_regular_file(place.snapshot(commit) / name, ignored);
            files.push_back(std::move(file));
        }
    } catch (const std::exception&) { // a help, not needed: as huggingface_hub does
        return {};
    }
    return files;
}

bool has_blob(const HubPlace& place, const HubFile& file) {
    std::error_code error;
    const fs::path path = place.blob(file.blob);
    return fs::is_regular_file(path, error) && fs::file_size(path, error) == file.size && !error;
}

void link_file(const HubPlace& place, const std::string& commit, const HubFile& file) {
    const fs::path folder = place.snapshot(commit), whole = folder / file.path;
    make_folders(folder);
    FolderHandle handle(folder);
    std::string target = "../../", rest = file.path;
    for (auto slash = rest.find('/'); slash != std::string::npos; slash = rest.find('/')) {
        handle.enter(rest.substr(0, slash));
        rest.erase(0, slash + 1);
        target += "../";
    }
    target += "blobs/" + file.blob;
    char present[1024];
    const ssize_t size = readlinkat(handle.fd(), rest.c_str(), present, sizeof present);
    if (size > 0 && std::string_view(present, static_cast<std::size_t>(size)) == target) return;
    const std::string fresh = rest.substr(0, 200) + random_suffix();
    if (symlinkat(target.c_str(), handle.fd(), fresh.c_str()) != 0) fail_errno("Cannot create", whole, errno);
    if (renameat(handle.fd(), fresh.c_str(), handle.fd(), rest.c_str()) == 0) return;
    const int reason = errno;
    unlinkat(handle.fd(), fresh.c_str(), 0);
    fail_errno("Cannot create", whole, reason);
}

BlobLock::BlobLock(const HubPlace& place, const std::string& blob, const StopToken& stop) {
    const fs::path folder = place.cache / ".locks" / place.repository.filename();
    make_folders(folder);
    const fs::path path = folder / (blob + ".lock");
    while (true) {
        fd_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (fd_ < 0) fail_errno("Cannot create", path, errno);
        while (flock(fd_, LOCK_EX | LOCK_NB) != 0) {
            if (errno != EWOULDBLOCK && errno != EINTR)
                return; // a file system without locks: the hash decides
            if (stop) {
                close(fd_);
                fail(ErrorKind::stopped, "The download was stopped.");
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        struct stat status {};
        if (fstat(fd_, &status) == 0 && status.st_nlink > 0) return;
        close(fd_); // the one before removed it as it let go
    }
}

BlobLock::~BlobLock() {
    close(fd_);
}

std::uint64_t free_bytes_for(const fs::path& folder) {
    std::error_code error;
    fs::path place = folder;
    while (!fs::exists(place, error) && place.has_relative_path())
        place = place.parent_path();
    const fs::space_info space = fs::space(place, error);
    if (error) fail_errno("Cannot read the free space of", place, error.value());
    return space.available;
}

} // namespace tempera
