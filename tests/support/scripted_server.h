#pragma once

#include "core/net/http.h"

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace tempera::test {

/// What a server does after the head and (part of) the body.
enum class AnswerEnd {
    whole,  ///< the whole body; the connection stays open for the next request
    close,  ///< ends the connection politely after `cut_after` bytes
    reset,  ///< breaks the connection (RST) after `cut_after` bytes
    hang,   ///< sends nothing more after `cut_after` bytes, the connection stays open
    endless ///< repeats the body until the client leaves
};

struct ServedAnswer {
    int status = 200;
    /// "Content-Length" is added, unless there is one or a "Transfer-Encoding" here; then the body goes out
    /// as it is. An endless answer has none.
    HttpHeaders headers;
    std::string body;
    std::chrono::milliseconds delay{0}; ///< before the head
    double bytes_per_second = 0;        ///< of the body; 0 = as fast as it goes
    AnswerEnd end = AnswerEnd::whole;
    std::size_t cut_after = 0; ///< bytes of the body sent before `end` comes; for close, reset and hang
    bool no_head = false; ///< the body is all that is sent: for garbage, or with a cut for nothing at all
};

struct ReceivedRequest {
    std::string method;
    std::string target; ///< path and query, as sent
    HttpHeaders headers;
    std::string body;
    int connection = 0; ///< number of the connection it came on, from 0
};

/// A self-signed certificate that is valid for these host names and addresses, from an hour ago on.
struct ServerCertificate {
    std::vector<std::string> names{"localhost", "127.0.0.1"};
    long valid_seconds = 86400; ///< from now; below 0 it has expired
};

/// An HTTP/1.1 server on 127.0.0.1 whose answers a test writes; one thread per connection. It ends in its
/// destructor, whatever the clients do.
class ScriptedServer {
public:
    /// Called in the connections' threads, several at once.
    using Handler = std::function<ServedAnswer(const ReceivedRequest&)>;

    explicit ScriptedServer(Handler handler);                   ///< plain
    ScriptedServer(Handler handler, const ServerCertificate&);  ///< TLS
    explicit ScriptedServer(std::vector<ServedAnswer> answers); ///< one after another, then the last again
    ~ScriptedServer();
    ScriptedServer(const ScriptedServer&) = delete;
    ScriptedServer& operator=(const ScriptedServer&) = delete;

    int port() const;
    /// Of a path with its "/". Another host name for the same server makes another origin of it.
    std::string url(const std::string& path = "", const std::string& host = "127.0.0.1") const;
    /// In PEM, for HttpClient::trust(); "" of a plain server.
    const std::string& certificate() const;

    std::vector<ReceivedRequest> requests() const;
    int connections() const;      ///< taken so far
    int open_connections() const; ///< at this moment

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace tempera::test
