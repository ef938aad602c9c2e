#pragma once

#include "core/base/random.h"
#include "core/engine/model/decoder.h"
#include "core/engine/sample/draw.h"
#include "core/text/tokenizer.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tempera {

class DecodeBackend;
class ThreadTeam;

/// One sequence to draw from a prompt. The draw of its token t uses number t of `stream`, whatever else is
/// drawn with it.
struct SequenceRequest {
    std::int64_t tag = 0; ///< the caller's name for it
    DrawSettings settings;
    RandomStream stream{0};
};

/// A prompt and what to draw from it; it is computed once for all its sequences.
struct PromptRequest {
    std::string name = "The prompt"; ///< what errors call it
    std::vector<std::int32_t> ids;
    std::vector<SequenceRequest> sequences;
};

struct DrawnSequence {
    std::int64_t tag = 0;
    std::vector<std::int32_t>
        token_ids;               ///< everything drawn: the end token and the tokens of a stop text included
    std::vector<float> logprobs; ///< natural, at temperature 1, of the unprocessed logits
    std::vector<float> tempered; ///< the same at the sequence's temperature (1 where it is greedy)
    double logprob = 0;          ///< their sum
    std::string text;            ///< without special tokens, the end token, and the stop text
    std::string finish;          ///< "eos", "stop", "length"
};

struct SamplerOptions {
    /// Sequences computed together; 0 = chosen from the model's size and the memory that is free.
    int slots = 0;
    int threads = 0; ///< 0 = at::get_num_threads()
    std::int64_t max_tokens = 256;
    /// The match that is complete first ends the sequence; the text is cut before it. The text of a special
    /// token, which no decoded text holds, stands for the token.
    std::vector<std::string> stop;
};

/// Draws from a decoder with continuous batching: a finished sequence gives its slot to the next at once.
/// Keeps references to decoder and tokenizer; the decoder's weights may change in place between two calls,
/// not during one (nothing added or moved). A sequence's tokens depend on its prompt, settings and stream
/// alone: with fp32 on the CPU bit for bit, whatever the slots, the order and the threads. One thread at a
/// time.
class Sampler {
public:
    Sampler(const Decoder& decoder, const Tokenizer& tokenizer, SamplerOptions options);
    ~Sampler();

    /// Fills in the next prompt; false = there is none. Called when a slot is free.
    using Source = std::function<bool(PromptRequest&)>;
    /// Receives every sequence when it ends, in that order.
    using Sink = std::function<void(DrawnSequence&&)>;
    /// Asked before every step; true = leave now. Sequences under way are dropped: their streams draw the
    /// same again.
    using Interrupted = std::function<bool()>;

    /// Throws Error(bad_input) for a prompt that is empty, longer than the context or has ids the model does
    /// not know; Error(numeric) where the model computes NaN or infinity.
    void run(const Source& source, const Sink& sink, const Interrupted& interrupted = {});

    /// What run() throws for a prompt it cannot draw from: Error(bad_input).
    void check(const PromptRequest& request) const;

    /// Log-probabilities at temperature 1 of `completion` behind `prompt`, which errors call `name`. Errors
    /// as run().
    std::vector<float> logprobs(std::span<const std::int32_t> prompt,
                                std::span<const std::int32_t> completion,
                                const std::string& name = "The prompt");

    int slots() const { return slots_; }
    std::int64_t drawn_tokens() const { return drawn_tokens_; }

private:
    struct Prompt;
    struct Sequence;
    struct Run;
    void read_prompts(std::vector<std::shared_ptr<Prompt>>& prompts);
    bool ends(Sequence& sequence) const;
    bool stops(Sequence& sequence) const;

    const Decoder& decoder_;
    const Tokenizer& tokenizer_;
    SamplerOptions options_;
    int slots_ = 1;
    std::vector<std::int64_t> end_ids_;
    std::vector<std::int64_t> stop_ids_; ///< special tokens among the stop strings
    std::int64_t drawn_tokens_ = 0;
    std::unique_ptr<ThreadTeam> team_;
    std::unique_ptr<DecodeBackend> backend_;
    std::vector<TokenDrawer> drawers_; ///< one per thread
};

/// Throws Error(bad_input) for a prompt of so many tokens that is empty or leaves a model of so many
/// positions no room to draw. `name` is what the error calls it.
void check_prompt_length(std::int64_t tokens, std::int64_t max_positions, const std::string& name);

/// fp32 on the CPU: LaneForward. Everything else: AtenForward.
std::unique_ptr<DecodeBackend> make_decode_backend(const Decoder& decoder, ThreadTeam& team);

} // namespace tempera
