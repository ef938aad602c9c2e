#pragma once

#include "tests/support/scripted_server.h"

#include <map>
#include <set>

namespace tempera::test {

/// A server that speaks the hub's API (revision, tree in pages, resolve), and one of another origin where the
/// contents of large files lie, as the hub's do. Add repositories before the first request.
class HubMimic {
public:
    using Files = std::map<std::string, std::string>; ///< path and content
    /// Changes what is answered; called in the connections' threads. `large` = by the contents' server.
    using Spoil = std::function<void(const ReceivedRequest&, bool large, ServedAnswer&)>;

    HubMimic();

    /// `folder` is "models/OWNER/NAME" or "datasets/OWNER/NAME". Returns the commit.
    std::string add(const std::string& folder, const Files& files, const std::string& revision = "main");
    /// What the listing says of a file from now on, instead of the truth.
    void lie(const std::string& folder, const std::string& path, const std::string& key,
             const std::string& value);

    /// At any time; an empty one ends it.
    void spoil(Spoil spoil);

    std::string endpoint() const { return hub_->url(); }
    std::vector<ReceivedRequest> requests() const { return hub_->requests(); }
    std::vector<ReceivedRequest> large_requests() const { return contents_->requests(); }

    std::string token;             ///< that every request to the hub must bear, "" = none
    std::size_t page = 1000;       ///< entries of the listing in an answer
    std::size_t large_from = 1000; ///< bytes
    bool ranges = true;            ///< whether Range is heeded

private:
    struct Commit {
        Files files;
        std::map<std::string, std::map<std::string, std::string>> lies;
    };
    ServedAnswer answer(const ReceivedRequest& request);
    ServedAnswer answer_api(const std::string& path, const std::string& query);
    ServedAnswer answer_file(const ReceivedRequest& request, const std::string& path);
    ServedAnswer tree(const Commit& commit, const std::string& path, const std::string& query);
    ServedAnswer content(const ReceivedRequest& request, const std::string& body, const std::string& etag);

    void apply_spoil(const ReceivedRequest& request, bool large, ServedAnswer& answer);

    std::mutex mutex_; ///< of spoil_
    Spoil spoil_;
    std::map<std::string, std::map<std::string, std::string>> revisions_; ///< by folder: revision -> commit
    std::map<std::string, Commit> commits_;
    std::map<std::string, std::string> contents_by_hash_;
    std::unique_ptr<ScriptedServer> contents_; ///< first: the hub's answers name its address
    std::unique_ptr<ScriptedServer> hub_;
};

/// The name of a content at the hub: SHA-256 where it is large, else Git's.
std::string hub_hash(const std::string& content, bool large);

} // namespace tempera::test
