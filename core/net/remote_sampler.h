#pragma once

#include "core/net/openai.h"

#include <chrono>
#include <functional>

namespace tempera {

/// A prompt and what a server is to draw from it.
struct RemotePrompt {
    GenerationRequest ask;           ///< n and seed are set by the sampler
    std::vector<std::int64_t> tags;  ///< the caller's names for the samples
    std::vector<std::int64_t> seeds; ///< one per sample; that of the first one goes with a common request
};

struct RemoteSample {
    std::int64_t tag = 0;
    GeneratedText text;       ///< empty with a fault; `finish` is "stop" or "length"
    std::int64_t tokens = -1; ///< drawn; -1 = the server does not say
    ReplyFault fault = ReplyFault::none;
    std::string sentence; ///< why there is none
    std::string raw;      ///< with a fault, what came instead
};

/// A whole number in [0, 2^31) for a server's seed, named by (seed, stream, sample) as the local sampler's
/// streams are.
std::int64_t server_seed(std::uint64_t seed, std::uint64_t stream, std::uint32_t sample);

/// Draws from a server, as many requests at once as the endpoint allows. All samples of a prompt are asked
/// for together; a server that gives fewer, or refuses to give several, is asked for one at a time from then
/// on. Log-probabilities that it refuses are given up.
class RemoteSampler {
public:
    /// The client outlives the sampler.
    explicit RemoteSampler(const OpenAiClient& client) : client_(client) {}

    /// Fills in the next prompt; false = there is none.
    using Source = std::function<bool(RemotePrompt&)>;
    /// Receives every sample when it is there, in that order.
    using Sink = std::function<void(RemoteSample&&)>;
    /// Asked several times a second; true = leave now, within a second.
    using Interrupted = std::function<bool()>;
    /// Gets a sentence for the log.
    using Notice = std::function<void(const std::string&)>;

    /// Calls everything from the calling thread. A sample that cannot be drawn comes with its fault and the
    /// rest goes on; a fault that every other request would meet too, or many in a row, throws Error
    /// (bad_input for key and address, not_found for the model, io else): what was drawn has been delivered.
    /// A wait of up to an hour that the server asks for is kept; `notice` hears until when.
    void run(const Source& source, const Sink& sink, const Interrupted& interrupted, const Notice& notice);

    /// Until when (Unix seconds) the server makes the run wait; 0 = it does not. For the callbacks of run().
    std::int64_t waits_until() const;

    /// Of every sample so far, as far as the server says.
    std::int64_t drawn_tokens() const { return drawn_tokens_; }

private:
    const OpenAiClient& client_;
    std::int64_t drawn_tokens_ = 0;
    std::chrono::system_clock::time_point waits_until_{};
};

} // namespace tempera
