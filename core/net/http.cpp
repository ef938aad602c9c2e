#include "core/net/http.h"

#include "core/base/files.h"
#include "core/net/http_exchange.h"
#include "core/net/http_url.h"

#include <algorithm>
#include <cstdlib>
#include <mutex>

namespace tempera {

namespace {

using std::chrono::milliseconds;

constexpr int max_redirects = 10;
constexpr std::size_t max_idle = 16;       ///< connection keepers that wait for the next request
constexpr std::size_t max_pem = 16u << 20; ///< bytes of a certificate file

bool same_name(std::string_view a, std::string_view b) {
    auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [&](char x, char y) { return lower(x) == lower(y); });
}

bool carries_key(const std::pair<std::string, std::string>& header) {
    for (const char* name : {"Authorization", "Proxy-Authorization", "Cookie", "Api-Key", "X-Api-Key"})
        if (same_name(header.first, name)) return true;
    return false;
}

bool is_header_text(const std::string& text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos;
}

/// Why a request must not leave this machine, or "".
std::string refusal(const HttpRequest& request) {
    const auto parts = parts_of(request.url);
    if (!parts) return "The address is no http or https URL: it must look like https://host/path.";
    const std::string origin = *origin_of(request.url);
    if (parts->has_user)
        return "The address of " + origin
               + " has a user name in it: give the address without, and the key by itself.";
    for (const auto& [name, value] : request.headers)
        if (name.empty() || name.find_first_of(": \t") != std::string::npos || !is_header_text(name)
            || !is_header_text(value))
            return "A header for " + origin + " (" + name.substr(0, name.find_first_of("\r\n"))
                   + ") is not one line of text: a key may have been copied with a line break.";
    const bool key = std::any_of(request.headers.begin(), request.headers.end(), carries_key);
    if (key && parts->scheme == "http" && !is_loopback(request.url))
        return "The key was not sent: " + origin
               + " is not encrypted. Use https, or a server on this machine.";
    return "";
}

HttpOutcome refused(const std::string& sentence, HttpResponse response) {
    return {HttpFault::refused, sentence, std::move(response)};
}

bool is_redirect(int status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/// The certificates of a file, "" where there is none.
std::string certificates_of(const char* file) {
    std::error_code ignored;
    return file && std::filesystem::is_regular_file(file, ignored) ? read_file(file, max_pem) : "";
}

} // namespace

/// A CURLM keeps connections; it serves one exchange at a time, so each thread takes one that is idle, by
/// preference the one that talked to the same origin.
struct HttpClient::State {
    struct Keeper {
        CURLM* multi;
        std::string origin;
    };
    std::mutex mutex;
    std::vector<Keeper> idle;
    std::string certificates; ///< PEM text, "" for libcurl's default

    ~State() {
        for (const Keeper& keeper : idle)
            curl_multi_cleanup(keeper.multi);
    }

    Keeper take(const std::string& origin) {
        std::lock_guard lock(mutex);
        auto same =
            std::find_if(idle.rbegin(), idle.rend(), [&](const Keeper& k) { return k.origin == origin; });
        if (same != idle.rend()) std::swap(*same, idle.back());
        if (same == idle.rend() && idle.size() < max_idle) return {curl_multi_init(), origin};
        Keeper keeper = std::move(idle.back());
        idle.pop_back();
        keeper.origin = origin;
        return keeper;
    }

    void give_back(Keeper keeper) {
        std::lock_guard lock(mutex);
        if (idle.size() < max_idle)
            idle.push_back(std::move(keeper));
        else
            curl_multi_cleanup(keeper.multi);
    }

    struct Lease {
        Lease(State& owner, const std::string& origin) : state(owner), keeper(owner.take(origin)) {}
        ~Lease() { state.give_back(std::move(keeper)); }
        Lease(const Lease&) = delete;
        Lease& operator=(const Lease&) = delete;
        State& state;
        Keeper keeper;
    };
};

namespace {

/// The request that follows a redirect, in place; or why there is none.
std::string redirect(HttpRequest& hop, const std::string& location) {
    const std::string from = *origin_of(hop.url);
    const auto url = resolved_location(hop.url, location);
    if (!url) return from + " redirects to what is no http or https address.";
    if (from.starts_with("https:") && !origin_of(*url)->starts_with("https:"))
        return from + " redirects to " + *origin_of(*url) + ", which is not encrypted: it was not followed.";
    if (*origin_of(*url) != from) std::erase_if(hop.headers, carries_key);
    hop.url = *url;
    return "";
}

} // namespace

HttpClient::HttpClient() : state_(std::make_unique<State>()) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    state_->certificates = certificates_of(std::getenv("SSL_CERT_FILE"));
}

HttpClient::~HttpClient() = default;

void HttpClient::trust(const std::string& pem_file) {
    const std::string more = read_file(pem_file, max_pem);
    if (state_->certificates.empty())
        state_->certificates = certificates_of(curl_version_info(CURLVERSION_NOW)->cainfo);
    state_->certificates += "\n" + more;
}

HttpOutcome HttpClient::send(const HttpRequest& request, const StopToken& stop, const Sink& sink) const {
    using Clock = HttpExchange::Clock;
    std::optional<Clock::time_point> end;
    if (request.deadlines.total.count() > 0) end = Clock::now() + request.deadlines.total;
    const bool follow = request.follow_redirects && (request.method == "GET" || request.method == "HEAD");
    HttpRequest hop = request;
    HttpResponse last;
    for (int redirects = 0;; ++redirects) {
        if (auto why = refusal(hop); !why.empty()) return refused(why, std::move(last));
        const std::string origin = *origin_of(hop.url);
        if (redirects > max_redirects) return refused(origin + " redirects without end.", std::move(last));
        State::Lease lease(*state_, origin);
        HttpExchange exchange(hop, state_->certificates, stop, sink);
        HttpOutcome outcome = exchange.run(lease.keeper.multi, end);
        const auto location = find_header(outcome.response.headers, "Location");
        const bool ends =
            outcome.fault != HttpFault::none || !follow || !is_redirect(outcome.response.status) || !location;
        if (ends) return outcome;
        last = std::move(outcome.response);
        if (auto why = redirect(hop, *location); !why.empty()) return refused(why, std::move(last));
    }
}

std::optional<std::string> find_header(const HttpHeaders& headers, std::string_view name) {
    for (auto header = headers.rbegin(); header != headers.rend(); ++header)
        if (same_name(header->first, name)) return header->second;
    return std::nullopt;
}

} // namespace tempera
