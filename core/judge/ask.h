#pragma once

#include "core/base/stop_token.h"
#include "core/store/reply_store.h"
#include "core/text/chat_template.h"

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tempera {

/// Puts a conversation to a model and waits for its reply. Called from several threads. Throws Error for what
/// would meet every other question too: a key that is not accepted, no such model, a server that cannot be
/// reached, a stop.
using Ask = std::function<EndpointReply(const std::vector<ChatMessage>&, const StopToken&)>;

/// A model behind an endpoint.
struct Asker {
    Ask ask;
    std::string name;        ///< "MODEL at ENDPOINT", for people
    std::string identity;    ///< address, model and settings: what a reply depends on beside the conversation
    std::string model;       ///< as it is asked for
    int concurrency = 1;     ///< questions under way at once
    bool has_prices = false; ///< whether costs mean anything
    std::function<std::int64_t()> waits_until = {}; ///< as RemoteSampler's; asked from any thread
};

/// What a run's progress says it does: as given, or that the server makes it wait.
std::string phase_of(const Asker& asker, const char* usual);

/// The key of a question in a ReplyStore.
std::string key_of(const Asker& asker, const std::vector<ChatMessage>& conversation);

/// What asking took.
struct AskTally {
    std::int64_t asked = 0;  ///< questions that went out, those that failed among them
    std::int64_t stored = 0; ///< replies that were there already
    std::int64_t failed = 0; ///< questions without a whole reply
    std::int64_t prompt_tokens = 0;
    std::int64_t completion_tokens = 0;
    double cost = 0;
};

/// Hears of a conversation's reply when it comes, on the thread that asked for all.
using OnReply = std::function<void(std::size_t conversation, const EndpointReply& reply)>;
/// Called on the same thread every second in which no reply comes.
using OnIdle = std::function<void()>;

/// Asks every conversation that `store` has no whole reply to, asker.concurrency at a time; equal ones once.
/// A reply is in the store before the next question goes out in its place, so that after a kill at most the
/// questions under way are asked again. The result has one entry a conversation, in order; none where a stop
/// came first. Throws what `ask` throws, and Error(io) after 16 failures in a row; replies that came
/// meanwhile are kept.
std::vector<std::optional<EndpointReply>> ask_all(std::span<const std::vector<ChatMessage>> conversations,
                                                  const Asker& asker, ReplyStore& store, AskTally& tally,
                                                  const StopToken& stop, const OnReply& on_reply = {},
                                                  const OnIdle& on_idle = {});

} // namespace tempera
