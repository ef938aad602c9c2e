#include "core/net/openai.h"

#include "core/base/clock.h"
#include "core/base/counted.h"
#include "core/base/error.h"
#include "core/net/openai_wire.h"
#include "core/net/rate_limit.h"
#include "core/net/sse.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <mutex>
#include <random>

namespace tempera {

namespace {

using std::chrono::system_clock;

double unix_now() {
    return std::chrono::duration<double>(system_clock::now().time_since_epoch()).count();
}

double dice() {
    thread_local std::mt19937 random{std::random_device{}()};
    return std::uniform_real_distribution<double>(0, 1)(random);
}

std::string wait_words(double seconds) {
    if (!(seconds < 1e8)) return "years";
    const auto whole = static_cast<std::int64_t>(std::ceil(seconds));
    if (whole < 120) return counted(whole, "second");
    if (whole < 7200) return counted((whole + 59) / 60, "minute");
    return counted((whole + 3599) / 3600, "hour");
}

/// What one attempt gave, and whether it is worth another one.
struct Attempt {
    GenerationReply reply;
    bool retry = false;
    std::optional<double> asked; ///< seconds that the server asks to wait
};

std::string with_message(int status, const std::string& message) {
    return " (" + std::to_string(status) + (message.empty() ? "" : ": " + message) + ")";
}

ReplyFault fault_of(int status) {
    if (status == 401 || status == 403) return ReplyFault::key;
    if (status == 404) return ReplyFault::missing;
    if (status == 429) return ReplyFault::limited;
    if (status == 408 || status == 409 || status >= 500) return ReplyFault::server;
    return ReplyFault::refused;
}

ReplyFault fault_of(HttpFault fault) {
    switch (fault) {
    case HttpFault::none:
        return ReplyFault::none;
    case HttpFault::stopped:
        return ReplyFault::stopped;
    case HttpFault::tls:
    case HttpFault::refused:
        return ReplyFault::insecure;
    case HttpFault::too_large:
        return ReplyFault::unusable;
    case HttpFault::resolve:
    case HttpFault::connect:
    case HttpFault::timeout:
    case HttpFault::reset:
        break;
    }
    return ReplyFault::network;
}

std::string status_sentence(const Endpoint& endpoint, const std::string& model, int status,
                            const std::string& message, std::int64_t attempts) {
    const std::string who = "Endpoint \"" + endpoint.name + "\" ", what = with_message(status, message);
    switch (fault_of(status)) {
    case ReplyFault::key:
        return who
               + (endpoint.key_variable.empty() ? "wants a key"
                                                : "does not accept the key in " + endpoint.key_variable)
               + what
               + (endpoint.key_variable.empty() ? ": name its variable in key_variable."
                                                : ": check the key and what it may use.");
    case ReplyFault::missing:
        return who + "does not know the model \"" + model + "\" or the address " + endpoint.base_url + what
               + ": tempera-cli endpoints test " + endpoint.name + " lists its models.";
    case ReplyFault::limited:
        return who + "is still over its limit after " + counted(attempts, "request") + what
               + ": lower its concurrency or requests_per_minute, or go on later.";
    case ReplyFault::server:
        return who + "failed " + counted(attempts, "time") + what + ": go on later.";
    default:
        break;
    }
    if (status >= 300 && status < 400)
        return who + "sends requests on to another address" + what
               + ", which is not followed: correct its base_url.";
    return who + "refuses the request" + what + ".";
}

/// Collects a 2xx body: an event stream is read as it comes, everything else is kept.
class Collector {
public:
    Collector(const GenerationRequest& request, const std::string& key, std::size_t max_body,
              const OpenAiClient::OnPiece& on_piece)
        : stream_(request, on_piece), key_(key), max_body_(max_body), parser_([this](std::string_view data) {
              return stream_.take(without_secret(std::string(data), key_));
          }) {}

    bool take(const HttpResponse& head, std::string_view piece) {
        if (!decided_) {
            const auto type = find_header(head.headers, "content-type");
            is_stream_ = type && type->find("text/event-stream") != type->npos;
            decided_ = true;
        }
        bytes_ += piece.size();
        if (bytes_ > max_body_) return false;
        if (!is_stream_ || body.size() < (64u << 10)) body += piece;
        return !is_stream_ || parser_.feed(piece);
    }
    bool is_stream() const { return is_stream_; }
    bool too_large() const { return bytes_ > max_body_ || parser_.too_long(); }
    StreamedReply& stream() { return stream_; }

    std::string body;

private:
    StreamedReply stream_;
    const std::string& key_;
    std::size_t max_body_, bytes_ = 0;
    SseParser parser_;
    bool decided_ = false, is_stream_ = false;
};

GenerationReply without_answer(ReplyFault fault, std::string sentence) {
    GenerationReply reply;
    reply.fault = fault;
    reply.sentence = std::move(sentence);
    return reply;
}

/// Says what keeps a key from being sent, or "".
std::string problem_of_key(const Endpoint& endpoint, const std::string& key) {
    if (endpoint.key_variable.empty()) return "";
    if (key.empty())
        return "Endpoint \"" + endpoint.name + "\" needs a key: set the environment variable "
               + endpoint.key_variable + ", or give the key in the settings.";
    if (!std::ranges::all_of(key, [](unsigned char c) { return c > 0x20 && c < 0x7f; }))
        return "The key of endpoint \"" + endpoint.name
               + "\" holds spaces or characters that no key has: set it again.";
    return "";
}

} // namespace

bool ends_the_run(ReplyFault fault) {
    switch (fault) {
    case ReplyFault::none:
    case ReplyFault::refused:
    case ReplyFault::server:
    case ReplyFault::unusable:
        return false;
    default:
        return true;
    }
}

const char* name_of(ReplyFault fault) {
    constexpr const char* names[] = {"none",    "stopped", "paused",  "key",      "missing", "refused",
                                     "limited", "server",  "network", "insecure", "unusable"};
    return names[static_cast<int>(fault)];
}

struct OpenAiClient::State {
    State(const HttpClient& client, Endpoint where, OpenAiOptions how)
        : http(client), endpoint(std::move(where)), options(std::move(how)),
          limiter(endpoint.concurrency, endpoint.requests_per_minute, endpoint.tokens_per_minute) {}

    HttpRequest http_request(const GenerationRequest& request, const std::string& key) const;
    Attempt attempt(const GenerationRequest& request, const std::string& key, std::int64_t number,
                    const StopToken& stop, const OnPiece& on_piece);
    Attempt judged(HttpOutcome&& outcome, Collector& body, const GenerationRequest& request,
                   const std::string& key, std::int64_t number) const;
    void read_body(HttpOutcome& outcome, Collector& body, const GenerationRequest& request,
                   Attempt& attempt) const;
    void count(const Usage& usage);

    const HttpClient& http;
    const Endpoint endpoint;
    const OpenAiOptions options;
    RateLimiter limiter;
    mutable std::mutex mutex;
    Usage used;
};

HttpRequest OpenAiClient::State::http_request(const GenerationRequest& request,
                                              const std::string& key) const {
    HttpRequest post;
    post.method = "POST";
    post.url = address_of(endpoint, path_of(request));
    post.headers = {{"Content-Type", "application/json"},
                    {"Accept", request.stream ? "text/event-stream" : "application/json"}};
    if (!key.empty()) post.headers.emplace_back("Authorization", "Bearer " + key);
    post.body = to_json_line(body_of(request, endpoint));
    post.deadlines = options.deadlines;
    post.max_body = options.max_body + (1u << 20); // the collector of the body stops before
    return post;
}

/// What a body with status 2xx holds. A stream that was left on purpose ends as `refused`.
void OpenAiClient::State::read_body(HttpOutcome& outcome, Collector& body, const GenerationRequest& request,
                                    Attempt& attempt) const {
    GenerationReply& reply = attempt.reply;
    const bool was_left = outcome.fault == HttpFault::refused && body.is_stream();
    if (body.too_large()) {
        reply.fault = ReplyFault::unusable;
        reply.sentence = "the answer is too large";
    } else if (body.is_stream()) {
        // A stream that ends without its end is a connection that was cut.
        if (!was_left && !body.stream().complete() && !body.stream().broken()) {
            reply.fault = ReplyFault::network;
            reply.sentence = "the answer broke off";
            attempt.retry = true;
        } else {
            body.stream().finish(reply);
        }
    } else {
        read_reply(body.body, request, reply);
    }
    if (reply.fault != ReplyFault::none)
        reply.sentence = "Endpoint \"" + endpoint.name + "\" gave no usable answer: " + reply.sentence + ".";
}

Attempt OpenAiClient::State::judged(HttpOutcome&& outcome, Collector& body, const GenerationRequest& request,
                                    const std::string& key, std::int64_t number) const {
    Attempt attempt;
    GenerationReply& reply = attempt.reply;
    reply.status = outcome.response.status;
    const bool good = reply.status >= 200 && reply.status < 300;
    if (body.body.empty()) body.body = std::move(outcome.response.body);
    body.body = without_secret(std::move(body.body), key);
    const bool broke_a_stream = outcome.fault == HttpFault::refused && good && body.is_stream();
    if (good && (outcome.fault == HttpFault::none || broke_a_stream || body.too_large())) {
        read_body(outcome, body, request, attempt);
    } else if (outcome.fault != HttpFault::none) {
        reply.fault = fault_of(outcome.fault);
        reply.sentence = "Endpoint \"" + endpoint.name + "\": " + outcome.sentence;
        attempt.retry = reply.fault == ReplyFault::network;
    } else {
        reply.fault = fault_of(reply.status);
        reply.sentence = status_sentence(endpoint, request.model.empty() ? endpoint.model : request.model,
                                         reply.status, message_in(body.body), number);
        attempt.asked = asked_wait(outcome.response.headers, unix_now());
        attempt.retry = should_retry(reply.status, outcome.response.headers);
        if (attempt.retry && attempt.asked && *attempt.asked > options.retry.longest_wait) {
            attempt.retry = false;
            reply.fault = ReplyFault::paused;
            reply.wait_seconds = *attempt.asked;
            reply.sentence = "Endpoint \"" + endpoint.name + "\" asks to wait " + wait_words(*attempt.asked)
                             + with_message(reply.status, message_in(body.body))
                             + (*attempt.asked < 1e8 ? ", until " + clock_after(*attempt.asked) : "") + ".";
        }
    }
    reply.raw = kept_raw(body.body);
    reply.sentence = without_secret(std::move(reply.sentence), key);
    for (GeneratedText& text : reply.texts)
        text.text = without_secret(std::move(text.text), key);
    return attempt;
}

Attempt OpenAiClient::State::attempt(const GenerationRequest& request, const std::string& key,
                                     std::int64_t number, const StopToken& stop, const OnPiece& on_piece) {
    Collector body(request, key, options.max_body, on_piece);
    HttpOutcome outcome =
        http.send(http_request(request, key), stop,
                  [&](const HttpResponse& head, std::string_view piece) { return body.take(head, piece); });
    Attempt result = judged(std::move(outcome), body, request, key, number);
    result.reply.usage.requests = 1;
    result.reply.usage.cost =
        (static_cast<double>(result.reply.usage.prompt_tokens) * endpoint.price_in
         + static_cast<double>(result.reply.usage.completion_tokens) * endpoint.price_out)
        / 1e6;
    return result;
}

void OpenAiClient::State::count(const Usage& usage) {
    const std::lock_guard lock(mutex);
    used.requests += usage.requests;
    used.prompt_tokens += usage.prompt_tokens;
    used.completion_tokens += usage.completion_tokens;
    used.cost += usage.cost;
}

OpenAiClient::OpenAiClient(const HttpClient& http, Endpoint endpoint, OpenAiOptions options) {
    if (const auto problems = problems_of(endpoint); !problems.empty())
        fail(ErrorKind::bad_input, "Endpoint \"" + endpoint.name + "\": " + problems.front());
    state_ = std::make_unique<State>(http, std::move(endpoint), std::move(options));
}

OpenAiClient::~OpenAiClient() = default;

const Endpoint& OpenAiClient::endpoint() const {
    return state_->endpoint;
}

Usage OpenAiClient::used() const {
    const std::lock_guard lock(state_->mutex);
    return state_->used;
}

GenerationReply OpenAiClient::generate(const GenerationRequest& request, const StopToken& stop,
                                       const OnPiece& on_piece) const {
    State& state = *state_;
    const std::string stopped = "Stopped before endpoint \"" + state.endpoint.name + "\" had answered.";
    const std::string key = find_key(state.endpoint, state.options.keys);
    if (std::string problem = problem_of_key(state.endpoint, key); !problem.empty())
        return without_answer(ReplyFault::key, problem);
    const double estimated = estimated_tokens(request);
    std::int64_t requests = 0;
    for (int retry = 0;; ++retry) {
        if (!state.limiter.acquire(estimated, stop)) return without_answer(ReplyFault::stopped, stopped);
        if (retry > 0 && on_piece) on_piece({0, "", true});
        Attempt result = state.attempt(request, key, ++requests, stop, on_piece);
        GenerationReply& reply = result.reply;
        const auto tokens = reply.usage.prompt_tokens + reply.usage.completion_tokens;
        const bool retried = result.retry && retry < state.options.retry.retries && !stop;
        const double delay = retry_delay(state.options.retry, retry, result.asked, dice());
        // Before the slot is free: no other thread may slip in.
        if (retried && (result.asked || reply.status == 429)) state.limiter.hold(delay);
        if (reply.fault == ReplyFault::none) state.limiter.succeeded();
        state.limiter.release(estimated, tokens > 0 ? static_cast<double>(tokens) : estimated);
        state.count(reply.usage);
        if (!retried) {
            reply.usage.requests = requests;
            if (stop && reply.fault != ReplyFault::none) return without_answer(ReplyFault::stopped, stopped);
            return std::move(reply);
        }
        if (!wait_for(delay, stop)) return without_answer(ReplyFault::stopped, stopped);
    }
}

} // namespace tempera
