#include "core/net/hub_transfer.h"

#include "core/base/content_hash.h"
#include "core/base/files.h"
#include "core/net/hub_api.h"

#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fs = std::filesystem;

namespace tempera {

namespace {

fs::path incomplete(const HubPlace& place, const HubFile& file) {
    return place.blob(file.blob + ".incomplete");
}

ContentHash hash_for(const HubFile& file) {
    return file.blob.size() == 64 ? ContentHash::sha256() : ContentHash::git_blob(file.size);
}

/// The file under way and the hash of what it holds.
class Partial {
public:
    Partial(const HubPlace& place, HubTransfer& transfer)
        : path_(incomplete(place, transfer.file)), transfer_(transfer), hash_(hash_for(transfer.file)) {
        make_folders(path_.parent_path());
        fd_ = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (fd_ < 0) fail_errno("Cannot create", path_, errno);
        take_over();
    }
    ~Partial() { close(fd_); }
    Partial(const Partial&) = delete;
    Partial& operator=(const Partial&) = delete;

    std::uint64_t size() const { return transfer_.have; }

    void restart() {
        if (ftruncate(fd_, 0) != 0) fail_errno("Cannot write", path_, errno);
        hash_ = hash_for(transfer_.file);
        transfer_.have = 0;
    }

    void append(std::string_view bytes) {
        hash_.update(bytes);
        while (!bytes.empty()) {
            const ssize_t count = pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(size()));
            if (count < 0 && errno == EINTR) continue;
            if (count < 0) fail_errno("Cannot write", path_, errno);
            bytes.remove_prefix(static_cast<std::size_t>(count));
            transfer_.have += static_cast<std::uint64_t>(count);
        }
    }

    /// Ends the hash.
    bool is_right() { return hash_.hex_digest() == transfer_.file.blob; }

    void commit(const fs::path& blob) {
        if (fsync(fd_) != 0) fail_errno("Cannot sync", path_, errno);
        if (rename(path_.c_str(), blob.c_str()) != 0) fail_errno("Cannot create", blob, errno);
    }

private:
    /// What an earlier download left, where it can be the beginning.
    void take_over() {
        struct stat status {};
        if (fstat(fd_, &status) != 0 || !S_ISREG(status.st_mode))
            fail(ErrorKind::io, path_.string() + " is not a file: remove it and try again.");
        if (static_cast<std::uint64_t>(status.st_size) > transfer_.file.size) return restart();
        std::string buffer(1u << 20, '\0');
        std::uint64_t known = 0; // `have` says already what is there: it must not seem to run
        for (ssize_t count = 0;
             (count = pread(fd_, buffer.data(), buffer.size(), static_cast<off_t>(known))) != 0;) {
            if (count < 0) fail_errno("Cannot read", path_, errno);
            hash_.update({buffer.data(), static_cast<std::size_t>(count)});
            known += static_cast<std::uint64_t>(count);
        }
        transfer_.have = known;
    }

    fs::path path_;
    HubTransfer& transfer_;
    ContentHash hash_;
    int fd_ = -1;
};

struct ContentRange {
    std::uint64_t first = 0, total = 0;
};

/// "bytes 100-199/200".
std::optional<ContentRange> content_range(const HttpHeaders& headers) {
    const std::optional<std::string> header = find_header(headers, "Content-Range");
    if (!header || !header->starts_with("bytes ")) return std::nullopt;
    const std::string_view text = *header;
    const auto slash = text.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    ContentRange range;
    const char *end = text.data() + text.size(), *first = text.data() + 6, *total = text.data() + slash + 1;
    const auto a = std::from_chars(first, end, range.first), b = std::from_chars(total, end, range.total);
    return a.ec == std::errc() && b.ec == std::errc() && b.ptr == end ? std::optional(range) : std::nullopt;
}

/// One exchange after another into a Partial.
class Fetch {
public:
    Fetch(const Hub& hub, const HubListing& listing, HubTransfer& transfer, Partial& partial,
          const StopToken& stop)
        : hub_(hub), listing_(listing), transfer_(transfer), partial_(partial), stop_(stop),
          retry_(hub.settings, stop) {}

    void run() {
        while (partial_.size() < transfer_.file.size)
            exchange();
    }

private:
    void exchange() {
        HttpRequest request =
            hub_request(hub_.settings, file_url(hub_.settings, listing_, transfer_.file.path));
        request.headers.emplace_back("Accept-Encoding", "identity");
        request.max_body = transfer_.file.size + 1; // one more shows that it is too long
        if (partial_.size() > 0) {
            request.headers.emplace_back("Range", "bytes=" + std::to_string(partial_.size()) + "-");
            if (!version_.empty()) request.headers.emplace_back("If-Range", version_);
        }
        first_piece_ = true;
        const HttpOutcome outcome =
            hub_.http.send(request, stop_, [&](const HttpResponse& head, std::string_view piece) {
                return take(head, piece);
            });
        if (wrong_size_ || outcome.fault == HttpFault::too_large) fail_wrong("size");
        if (outcome.fault == HttpFault::none && outcome.response.status / 100 == 2) {
            if (first_piece_ || partial_.size() < transfer_.file.size) fail_wrong("size");
            return;
        }
        if (outcome.response.status == 416 && partial_.size() > 0)
            partial_.restart(); // then a whole one
        else if (!retry_.again(outcome))
            throw hub_error(hub_, listing_.name, outcome);
    }

    bool take(const HttpResponse& head, std::string_view piece) {
        if (first_piece_) begin(head);
        first_piece_ = false;
        wrong_size_ |= partial_.size() + piece.size() > transfer_.file.size;
        if (wrong_size_) return false;
        partial_.append(piece);
        if (partial_.size() > best_) retry_.got_on(), best_ = partial_.size();
        return true;
    }

    void begin(const HttpResponse& head) {
        const std::string version = find_header(head.headers, "ETag").value_or("");
        version_ = version.starts_with('"') ? version : ""; // a weak one is no promise of equal bytes
        if (head.status != 206) {
            if (partial_.size() > 0) partial_.restart(); // the whole again
            if (auto length = find_header(head.headers, "Content-Length"))
                wrong_size_ = *length != std::to_string(transfer_.file.size);
        } else if (const auto range = content_range(head.headers);
                   !range || range->first != partial_.size() || range->total != transfer_.file.size) {
            wrong_size_ = true;
        }
    }

    [[noreturn]] void fail_wrong(const std::string& what) {
        partial_.restart();
        fail(ErrorKind::io, transfer_.file.path + " of " + listing_.name.repository() + " came with another "
                                + what
                                + " than the hub announced, and was not taken: try again, or check the "
                                  "mirror (HF_ENDPOINT).");
    }

    const Hub& hub_;
    const HubListing& listing_;
    HubTransfer& transfer_;
    Partial& partial_;
    const StopToken& stop_;
    HubRetry retry_;
    std::string version_;    ///< of the content, as the server named it
    std::uint64_t best_ = 0; ///< most bytes so far: a server that starts anew each time does not get on
    bool first_piece_ = true, wrong_size_ = false;
};

} // namespace

std::uint64_t begun_bytes(const HubPlace& place, const HubFile& file) {
    std::error_code error;
    const auto size = fs::file_size(incomplete(place, file), error);
    return error || size > file.size ? 0 : size;
}

void fetch_blob(const Hub& hub, const HubListing& listing, const HubPlace& place, HubTransfer& transfer,
                const StopToken& stop) {
    BlobLock lock(place, transfer.file.blob, stop);
    if (has_blob(place, transfer.file)) { // another process was faster
        transfer.have = transfer.file.size;
        return;
    }
    Partial partial(place, transfer);
    bool resumed = partial.size() > 0;
    while (true) {
        Fetch(hub, listing, transfer, partial, stop).run();
        if (partial.is_right()) break;
        partial.restart();
        if (!resumed)
            fail(ErrorKind::io,
                 transfer.file.path + " of " + listing.name.repository()
                     + " came with another content than the hub announced (its hash differs), and was "
                       "not taken: try again, or check the mirror (HF_ENDPOINT).");
        resumed = false; // what was there may have been the fault: once more from the beginning
    }
    partial.commit(place.blob(transfer.file.blob));
}

} // namespace tempera
