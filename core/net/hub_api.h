#pragma once

#include "core/base/error.h"
#include "core/net/hub.h"

namespace tempera {

/// Decides on another try, and waits for it: after a broken or timed-out exchange, and after an answer that
/// asks for one (408, 429, 5xx), as long as Retry-After says, else longer each time.
class HubRetry {
public:
    HubRetry(const HubSettings& settings, const StopToken& stop) : settings_(settings), stop_(stop) {}

    /// Something came: the next failure is a first one again.
    void got_on() { failures_ = 0, moved_ = true; }
    /// False where it is not worth another try; else it has waited. Throws Error(stopped).
    bool again(const HttpOutcome& outcome);

private:
    const HubSettings& settings_;
    const StopToken& stop_;
    int failures_ = 0;
    bool moved_ = false; ///< the network and the host are known to be there
};

/// A request to the hub with its token.
HttpRequest hub_request(const HubSettings& settings, const std::string& url);

/// The address of a file's content in a commit.
std::string file_url(const HubSettings& settings, const HubListing& listing, const std::string& path);

/// The sentence for an outcome that is not what was asked for.
Error hub_error(const Hub& hub, const HubName& name, const HttpOutcome& outcome);

[[noreturn]] void fail_stopped(const HubName& name);

/// The listing as the hub gives it. Throws as list_hub().
HubListing listing_from_hub(const Hub& hub, const HubName& name, const StopToken& stop);

} // namespace tempera
