#pragma once

#include "core/base/stop_token.h"
#include "core/net/endpoint.h"
#include "core/net/http.h"
#include "core/net/retry.h"
#include "core/text/chat_template.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tempera {

/// One question to a model behind an endpoint. Fields without a value are not sent: the server's default
/// holds.
struct GenerationRequest {
    std::string model;                 ///< "" = the endpoint's
    std::vector<ChatMessage> messages; ///< goes to /chat/completions
    std::string prompt;                ///< without messages: goes to /completions as it is
    int n = 1;                         ///< some servers give fewer all the same
    std::optional<double> temperature;
    std::optional<double> top_p;
    std::optional<std::int64_t> max_tokens;
    std::optional<std::int64_t> seed;
    std::vector<std::string> stop;
    bool logprobs = false;
    bool stream = false;
    Json extra = Json::object(); ///< further fields of the body, as they are
};

/// One answer among a reply's.
struct GeneratedText {
    std::string text;
    std::string finish;              ///< "stop", "length", "content_filter" ...; "" = the server did not say
    std::vector<float> logprobs;     ///< of every drawn token, natural; empty where the server gives none
    std::vector<std::string> tokens; ///< their texts
};

struct Usage {
    std::int64_t requests = 0;
    std::int64_t prompt_tokens = 0;
    std::int64_t completion_tokens = 0;
    double cost = 0; ///< by the endpoint's prices
};

enum class ReplyFault {
    none,
    stopped,  ///< by the stop token
    paused,   ///< the server asks to wait longer than two minutes: `wait_seconds`
    key,      ///< no key, or one that is not accepted (401, 403): asking again is useless
    missing,  ///< no such address or model (404)
    refused,  ///< the request itself (400, 413, 422 ..., a redirect)
    limited,  ///< 429, still after the retries
    server,   ///< 408, 409, 5xx, still after the retries
    network,  ///< not reached, too slow or cut off, still after the retries
    insecure, ///< TLS, or plain http where it is not allowed
    unusable  ///< an answer that holds no text: HTML, broken JSON, no choices, too large
};

/// What came of a request. With a fault there are no texts, whatever arrived: it is never to be scored. No
/// field holds the key, even where the server sent it back.
struct GenerationReply {
    std::vector<GeneratedText> texts;
    Usage usage;       ///< of this request; failed attempts count as requests
    std::string model; ///< as the server calls it
    ReplyFault fault = ReplyFault::none;
    std::string sentence;    ///< what happened and what to do; "" without a fault
    std::string raw;         ///< the last body as it came, at most 64 KiB, valid UTF-8
    int status = 0;          ///< of the last answer; 0 = none
    double wait_seconds = 0; ///< with `paused`
};

/// Whether every other request of the endpoint would fail the same way, so that a run had better stop and be
/// resumed than go through its list: key, missing, insecure, paused, network, limited, stopped.
bool ends_the_run(ReplyFault fault);
const char* name_of(ReplyFault fault);

struct OpenAiOptions {
    RetryRules retry;
    HttpDeadlines deadlines{std::chrono::milliseconds(5000), std::chrono::milliseconds(600000),
                            std::chrono::milliseconds(60000), std::chrono::milliseconds(600000)};
    std::size_t max_body = 16u << 20;
    KeyLookup keys; ///< asked where the environment variable is not set
};

/// A client of one endpoint, shared by all threads that ask it: its limits on requests under way, requests
/// and tokens a minute, and the wait that the server asked of one thread, hold for all of them.
class OpenAiClient {
public:
    /// `http` outlives the client. Throws Error(bad_input) for an endpoint with a problem.
    OpenAiClient(const HttpClient& http, Endpoint endpoint, OpenAiOptions options = {});
    ~OpenAiClient();
    OpenAiClient(const OpenAiClient&) = delete;
    OpenAiClient& operator=(const OpenAiClient&) = delete;

    /// A stream's texts as they come; may be called again from the start where an attempt failed (`restart`).
    struct Piece {
        std::size_t choice = 0;
        std::string_view text;
        bool restart = false;
    };
    using OnPiece = std::function<void(const Piece&)>;

    /// Asks, waits and asks again by the rules; returns within a second of `stop`. Never throws for what a
    /// server or network does. Thread-safe.
    GenerationReply generate(const GenerationRequest& request, const StopToken& stop = {},
                             const OnPiece& on_piece = {}) const;

    /// All requests so far.
    Usage used() const;
    const Endpoint& endpoint() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// What a test button shows.
struct EndpointTest {
    bool ok = false;
    std::string sentence;            ///< e.g. "It answers (0.4 s) and has 2 models."
    std::vector<std::string> models; ///< that it lists, at most 1000
    double seconds = 0;
};

/// Lists the models (GET /models) and, where the endpoint names one, asks it for one token: only that shows
/// whether the key is good. Blocks at most 30 seconds, less after `stop`. Never throws.
EndpointTest test_endpoint(const HttpClient& http, const Endpoint& endpoint, const KeyLookup& keys = {},
                           const StopToken& stop = {});

} // namespace tempera
