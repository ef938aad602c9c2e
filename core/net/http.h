#pragma once

#include "core/base/stop_token.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tempera {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

/// The value of the last header of that name, case-insensitive.
std::optional<std::string> find_header(const HttpHeaders& headers, std::string_view name);

/// Zero = no limit.
struct HttpDeadlines {
    std::chrono::milliseconds connect{5000};      ///< name look-up, TCP and TLS
    std::chrono::milliseconds first_byte{600000}; ///< from the request's end to the answer's first byte
    std::chrono::milliseconds stall{60000};       ///< without a byte, once the answer has begun
    std::chrono::milliseconds total{0};           ///< the whole exchange, redirects included
};

struct HttpRequest {
    std::string method = "GET";
    std::string url;
    /// Those that carry a key ("Authorization", "Cookie", "Api-Key", "X-Api-Key") leave with the first
    /// redirect to another origin. An answer is decompressed unless there is an "Accept-Encoding" here.
    HttpHeaders headers;
    std::string body;
    HttpDeadlines deadlines;
    std::size_t max_body = 64u << 20; ///< bytes of an answer, after decompression; a sink's too
    bool follow_redirects = false;    ///< at most 10, GET and HEAD only, never from https to http
};

struct HttpResponse {
    int status = 0;
    HttpHeaders headers; ///< of the last answer
    std::string body;    ///< "" where a sink took it
    std::string url;     ///< where redirects led
};

/// What can go wrong without an answer, for the one who decides on a retry: resolve, connect, timeout and
/// reset may pass, the others come again. `reset` is also an answer that ends too early or is not HTTP.
enum class HttpFault { none, resolve, connect, tls, timeout, reset, too_large, stopped, refused };

/// An exchange that gave no whole answer. `sentence` names host (never a key or a query), reason and advice.
struct HttpOutcome {
    HttpFault fault = HttpFault::none;
    std::string sentence;  ///< "" without a fault
    HttpResponse response; ///< with a fault, what had arrived
};

/// HTTP over libcurl. TLS certificates and host names are always checked. A request that carries a key is
/// refused over plain http to a host that is not loopback, and so is a URL with a user name in it. One client
/// may serve many threads; it keeps connections alive between requests. Proxies are those of the environment
/// (https_proxy, no_proxy), never for loopback.
class HttpClient {
public:
    HttpClient();
    ~HttpClient();
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;

    /// Gets the answer's body piece by piece, only where the status is 2xx (another body goes to
    /// `response.body`), in the thread that called send(). False ends the exchange as `refused`; what it
    /// throws comes out of send().
    using Sink = std::function<bool(const HttpResponse& head, std::string_view piece)>;

    /// Never throws for what a server or network does. Ends within a second of `stop`.
    HttpOutcome send(const HttpRequest& request, const StopToken& stop = {}, const Sink& sink = {}) const;

    /// A PEM file of certificates that are trusted besides the system's ($SSL_CERT_FILE, where it is set),
    /// for tests and private mirrors. Call before the first send(). Throws what read_file() throws.
    void trust(const std::string& pem_file);

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// scheme://host:port of a URL, lower case, the default port written out; nullopt where it is none.
std::optional<std::string> origin_of(std::string_view url);
/// localhost, 127.0.0.0/8, ::1.
bool is_loopback(std::string_view url);

} // namespace tempera
