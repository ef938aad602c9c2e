#pragma once

#include "core/net/openai.h"

#include <span>

namespace tempera {

/// What goes over the wire to an OpenAI-compatible server and what comes back, without the network.

/// "/chat/completions" where the request has messages, else "/completions".
std::string path_of(const GenerationRequest& request);
/// The endpoint's base with `path` behind it.
std::string address_of(const Endpoint& endpoint, const std::string& path);
Json body_of(const GenerationRequest& request, const Endpoint& endpoint);

/// Reads the body of a 2xx answer into texts, usage and model; texts beyond `request.n` are left out. Where
/// it cannot be used, sets fault and sentence instead. Never throws, whatever the bytes.
void read_reply(std::string_view body, const GenerationRequest& request, GenerationReply& reply);

/// Puts the chunks of a stream together.
class StreamedReply {
public:
    StreamedReply(const GenerationRequest& request, OpenAiClient::OnPiece on_piece)
        : request_(request), on_piece_(std::move(on_piece)) {}

    /// Data of an event; false = the stream is complete ("[DONE]") or broken.
    bool take(std::string_view data);
    /// Whether all that is to come has come: "[DONE]", or an end of every choice.
    bool complete() const;
    bool broken() const { return reply_.fault != ReplyFault::none; }
    /// Moves what came into `reply`, as read_reply() does.
    void finish(GenerationReply& reply);

private:
    void take_choice(const Json& choice);

    const GenerationRequest& request_;
    OpenAiClient::OnPiece on_piece_;
    GenerationReply reply_;
    std::vector<bool> seen_;
    bool done_ = false;
};

/// What the body of an error says, on one line of at most 300 bytes; "" where it says nothing to people.
std::string message_in(std::string_view body);

/// The first 64 KiB, bytes that are not UTF-8 replaced.
std::string kept_raw(std::string_view body);

/// Every occurrence of `secret` becomes "[key]".
std::string without_secret(std::string text, std::string_view secret);

/// About how many tokens the answer may cost, for the token bucket: a quarter of the prompt's bytes and all
/// tokens that may be drawn.
double estimated_tokens(const GenerationRequest& request);

} // namespace tempera
