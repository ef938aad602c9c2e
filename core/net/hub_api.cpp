#include "core/net/hub_api.h"

#include "core/base/json.h"
#include "core/net/http_url.h"
#include "core/net/retry.h"

#include <algorithm>
#include <set>
#include <thread>

namespace tempera {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t max_files = 200000;
constexpr int max_pages = 1000;

std::string api_url(const HubSettings& settings, const HubName& name) {
    return settings.endpoint + (name.kind == HubKind::model ? "/api/models/" : "/api/datasets/")
           + name.repository();
}

/// What an answer asks to wait, at least zero.
std::optional<milliseconds> asked_pause(const HttpHeaders& headers) {
    using std::chrono::duration;
    const auto now = duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    const auto seconds = asked_wait(headers, now);
    if (!seconds) return std::nullopt;
    return milliseconds(static_cast<std::int64_t>(std::clamp(*seconds, 0.0, 1e9) * 1000));
}

bool may_pass(const HttpOutcome& outcome, bool moved) {
    switch (outcome.fault) {
    case HttpFault::none:
        return outcome.response.status == 408 || outcome.response.status == 429
               || outcome.response.status >= 500;
    case HttpFault::resolve:
    case HttpFault::connect:
    case HttpFault::timeout:
        return moved; // without a network this should be said at once
    case HttpFault::reset:
        return true;
    default:
        return false;
    }
}

/// The answer's body as JSON.
Json ask(const Hub& hub, const HubName& name, const std::string& url, const StopToken& stop,
         HttpHeaders* headers = nullptr) {
    HubRetry retry(hub.settings, stop);
    HttpRequest request = hub_request(hub.settings, url);
    HttpOutcome outcome = hub.http.send(request, stop);
    while (outcome.response.status != 200 || outcome.fault != HttpFault::none) {
        if (!retry.again(outcome)) throw hub_error(hub, name, outcome);
        outcome = hub.http.send(request, stop);
    }
    if (headers) *headers = outcome.response.headers;
    try {
        return parse_json(outcome.response.body, "the hub's answer");
    } catch (const Error&) {
        fail(ErrorKind::io,
             hub.settings.endpoint
                 + " does not answer as the hub does: check the address (HF_ENDPOINT), and whether "
                   "the network asks for a login first.");
    }
}

/// The URL of a Link header's rel="next", or "".
std::string next_page(const HttpHeaders& headers) {
    const std::string link = find_header(headers, "Link").value_or("");
    for (std::size_t begin = link.find('<'); begin != std::string::npos; begin = link.find('<', begin + 1)) {
        const auto end = link.find('>', begin);
        if (end == std::string::npos) break;
        if (link.substr(end, link.find(',', end) - end).find("rel=\"next\"") != std::string::npos)
            return link.substr(begin + 1, end - begin - 1);
    }
    return "";
}

HubFile file_of(const Json& entry, const HubName& name) {
    const bool large = entry.contains("lfs") && entry["lfs"].is_object();
    const Json& content = large ? entry["lfs"] : entry;
    HubFile file;
    file.path = entry.at("path").get<std::string>();
    file.blob = content.at("oid").get<std::string>();
    const auto size = content.at("size").get<std::int64_t>();
    file.size = static_cast<std::uint64_t>(size);
    if (!is_safe_path(file.path))
        fail(ErrorKind::bad_input, std::string("The ") + word_of(name.kind) + " " + name.repository()
                                       + " has a file whose name would lead out of its folder ("
                                       + to_json_line(file.path)
                                       + "): it is not to be trusted, nothing was fetched.");
    if (size < 0 || !is_hex(file.blob, large ? 64 : 40))
        fail(ErrorKind::bad_input, "The hub's listing of " + name.repository() + " makes no sense at "
                                       + to_json_line(file.path) + ".");
    return file;
}

/// A name must not be a file and a folder.
void refuse_conflicts(const std::vector<HubFile>& files, const HubName& name) {
    std::set<std::string> names;
    for (const HubFile& file : files)
        if (!names.insert(file.path).second)
            fail(ErrorKind::bad_input,
                 "The hub's listing of " + name.repository() + " has " + file.path + " twice.");
    for (const HubFile& file : files)
        for (auto slash = file.path.find('/'); slash != std::string::npos;
             slash = file.path.find('/', slash + 1))
            if (names.contains(file.path.substr(0, slash)))
                fail(ErrorKind::bad_input, "In the hub's listing of " + name.repository() + " "
                                               + file.path.substr(0, slash) + " is a file and a folder.");
}

std::vector<HubFile> all_files(const Hub& hub, const HubName& name, const std::string& commit,
                               const StopToken& stop) {
    std::vector<HubFile> files;
    std::string url = api_url(hub.settings, name) + "/tree/" + commit + "?recursive=true&expand=false";
    std::set<std::string> asked; // a page that leads back to an earlier one has no end
    while (!url.empty()) {
        HttpHeaders headers;
        const bool again = !asked.insert(url).second;
        const Json entries = again ? Json() : ask(hub, name, url, stop, &headers);
        if (!entries.is_array() || std::ssize(asked) > max_pages || files.size() > max_files)
            fail(ErrorKind::bad_input,
                 "The hub's listing of " + name.repository() + " is no list, or has no end.");
        for (const Json& entry : entries)
            if (entry.value("type", "") == "file") files.push_back(file_of(entry, name));
        const std::string next = next_page(headers);
        url = next.empty() ? "" : resolved_location(url, next).value_or("");
    }
    std::sort(files.begin(), files.end(), [](const HubFile& a, const HubFile& b) { return a.path < b.path; });
    refuse_conflicts(files, name);
    return files;
}

} // namespace

bool HubRetry::again(const HttpOutcome& outcome) {
    moved_ |= outcome.fault == HttpFault::none;
    if (!may_pass(outcome, moved_) || ++failures_ >= settings_.tries) return false;
    milliseconds pause = std::min(settings_.pause * (1 << std::min(failures_ - 1, 4)), milliseconds(8000));
    if (auto asked = asked_pause(outcome.response.headers); asked && outcome.fault == HttpFault::none) {
        if (*asked > settings_.longest_pause) return false;
        pause = std::max(pause, *asked);
    }
    const auto end = std::chrono::steady_clock::now() + pause;
    while (std::chrono::steady_clock::now() < end) {
        if (stop_) fail(ErrorKind::stopped, "The download was stopped.");
        std::this_thread::sleep_for(std::min(pause, milliseconds(20)));
    }
    return true;
}

HttpRequest hub_request(const HubSettings& settings, const std::string& url) {
    HttpRequest request;
    request.url = url;
    request.follow_redirects = true;
    request.deadlines = {milliseconds(10000), milliseconds(60000), milliseconds(30000), milliseconds(0)};
    if (!settings.token.empty() && origin_of(url) == origin_of(settings.endpoint))
        request.headers = {{"Authorization", "Bearer " + settings.token}};
    return request;
}

std::string file_url(const HubSettings& settings, const HubListing& listing, const std::string& path) {
    return settings.endpoint + (listing.name.kind == HubKind::model ? "/" : "/datasets/")
           + listing.name.repository() + "/resolve/" + listing.commit + "/" + percent_encoded(path, "/");
}

Error hub_error(const Hub& hub, const HubName& name, const HttpOutcome& outcome) {
    const std::string what = std::string(word_of(name.kind)) + " " + name.repository(),
                      where = hub.settings.endpoint;
    const std::string code = find_header(outcome.response.headers, "X-Error-Code").value_or("");
    const int status = outcome.response.status;
    const bool has_token = !hub.settings.token.empty();
    if (outcome.fault == HttpFault::stopped) return {ErrorKind::stopped, "The download was stopped."};
    if (outcome.fault != HttpFault::none)
        return {ErrorKind::io, "The " + what + " cannot be had: " + outcome.sentence};
    if (code == "GatedRepo")
        return {ErrorKind::not_found, "The " + what + " is gated: ask for access on its page at " + where
                                          + (has_token ? "; the token that is set has none."
                                                       : ", then set a token of yours (HF_TOKEN).")};
    if (code == "RevisionNotFound")
        return {ErrorKind::not_found, "The " + what + " has no revision \"" + name.revision + "\"."};
    if (code == "EntryNotFound")
        return {ErrorKind::not_found,
                "The " + what + " no longer has a file that its listing names: try again."};
    if (status == 401 && has_token && code != "RepoNotFound")
        return {
            ErrorKind::not_found,
            where + " does not accept the token (HF_TOKEN, or that of the login): it may have been revoked."};
    if (status == 401 || status == 403 || status == 404)
        return {ErrorKind::not_found, "There is no " + what + " at " + where
                                          + ", or it is private: check the name"
                                          + (has_token ? ", and whether the token may read it."
                                                       : "; for a private one set a token (HF_TOKEN).")};
    if (status == 429) {
        const auto wait = asked_pause(outcome.response.headers);
        return {ErrorKind::io,
                where + " has had too many requests from here: try again "
                    + (wait ? "in " + std::to_string((wait->count() + 999) / 1000) + " s." : "later.")
                    + (has_token ? "" : " With a token (HF_TOKEN) the limit is higher.")};
    }
    return {ErrorKind::io,
            where + " answered HTTP " + std::to_string(status) + " for the " + what + ": try again later."};
}

void fail_stopped(const HubName& name) {
    fail(ErrorKind::stopped,
         "The download of " + name.repository() + " was stopped; asked for again, it goes on from there.");
}

HubListing listing_from_hub(const Hub& hub, const HubName& name, const StopToken& stop) {
    if (!origin_of(hub.settings.endpoint))
        fail(ErrorKind::bad_input, "The hub's address \"" + hub.settings.endpoint
                                       + "\" (HF_ENDPOINT) is no http or https address.");
    const Json about =
        ask(hub, name, api_url(hub.settings, name) + "/revision/" + percent_encoded(name.revision), stop);
    HubListing listing;
    listing.name = name;
    const auto refuse = [&] {
        fail(ErrorKind::bad_input,
             hub.settings.endpoint + " describes " + name.repository()
                 + " in a way that is not understood: check the address (HF_ENDPOINT).");
    };
    try {
        listing.commit = about.at("sha").get<std::string>();
        if (!is_hex(listing.commit, 40)) refuse();
        listing.files = all_files(hub, name, listing.commit, stop);
    } catch (const Json::exception&) {
        refuse();
    }
    return listing;
}

} // namespace tempera
