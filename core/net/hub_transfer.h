#pragma once

#include "core/net/hub_cache.h"

#include <atomic>

namespace tempera {

/// One content on its way into the cache.
struct HubTransfer {
    HubFile file;
    std::atomic<std::uint64_t> have{0}; ///< bytes in blobs/NAME.incomplete
};

/// What an earlier download left of it.
std::uint64_t begun_bytes(const HubPlace& place, const HubFile& file);

/// Fetches the content into the cache: resumed by Range (and If-Range, once the server has named its
/// version), size and hash checked, renamed only then. Throws as download_hub().
void fetch_blob(const Hub& hub, const HubListing& listing, const HubPlace& place, HubTransfer& transfer,
                const StopToken& stop);

} // namespace tempera
