#pragma once

#include "core/net/hub.h"

namespace tempera {

/// Where huggingface_hub keeps a repository: CACHE/models--OWNER--NAME with blobs/ (contents), refs/ (the
/// commit of a revision) and snapshots/COMMIT/ (links from paths to blobs).
struct HubPlace {
    std::filesystem::path cache, repository;

    HubPlace(const HubSettings& settings, const HubName& name);
    std::filesystem::path blob(const std::string& id) const { return repository / "blobs" / id; }
    std::filesystem::path snapshot(const std::string& commit) const {
        return repository / "snapshots" / commit;
    }
};

/// The commit that a revision was when it was last asked for, or is itself; "" where it is not known here.
std::string cached_commit(const HubPlace& place, const std::string& revision);
/// When the hub last said so, in Unix milliseconds; 0 where that is not known here.
std::int64_t commit_asked_ms(const HubPlace& place, const std::string& revision);
/// Throws Error(io, disk_full).
void store_commit(const HubPlace& place, const std::string& revision, const std::string& commit);

/// The files of a snapshot that are there, by path.
std::vector<HubFile> cached_files(const HubPlace& place, const std::string& commit);

/// The whole listing of a commit that huggingface_hub has stored (trees/COMMIT.json); empty without.
std::vector<HubFile> stored_tree(const HubPlace& place, const std::string& commit);

/// Whether the content is there, by size.
bool has_blob(const HubPlace& place, const HubFile& file);

/// Links the snapshot's path to the blob; folders on the way are made and never followed out of the snapshot.
/// Throws Error(io, bad_input, disk_full).
void link_file(const HubPlace& place, const std::string& commit, const HubFile& file);

/// The lock that huggingface_hub holds while it fetches a blob. Waits for another process.
/// Throws Error(io, stopped).
class BlobLock {
public:
    BlobLock(const HubPlace& place, const std::string& blob, const StopToken& stop);
    ~BlobLock();
    BlobLock(const BlobLock&) = delete;
    BlobLock& operator=(const BlobLock&) = delete;

private:
    int fd_ = -1;
};

/// Bytes that may still be written where the cache is or would be.
std::uint64_t free_bytes_for(const std::filesystem::path& folder);

} // namespace tempera
