#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace tempera {

/// The cached keys and values of one prompt, or of one sequence behind its prompt.
class TokenCache {
public:
    virtual ~TokenCache() = default;
    /// Makes room for `tokens` tokens. Throws Error(io) where memory is out.
    virtual void reserve(std::int64_t tokens) = 0;
};

/// One token to compute. Its key and value are appended to `own` (or, without one, to `prompt`: that is how a
/// prompt is read).
struct Lane {
    std::int32_t token = 0;
    std::int64_t position = 0;      ///< in the whole sequence
    TokenCache* prompt = nullptr;   ///< shared by all samples of the prompt; null for text without one
    std::int64_t prompt_tokens = 0; ///< of it, in front of `own`; not used while the prompt itself is read
    TokenCache* own = nullptr;
    float* logits = nullptr; ///< where its logits go: row of at least padded_vocab floats; null = not wanted
};

/// A decoder with a cache, seen by the scheduler: computes tokens of many sequences.
class DecodeBackend {
public:
    virtual ~DecodeBackend() = default;
    /// A batch is at most max_batch() lanes of prompts being read, or of sequences, computed together; lanes
    /// of the same prompt should be neighbours, and the tokens of a prompt come in order. A chain is a list
    /// of batches to be computed one after the other. Chains are independent of each other.
    using Batch = std::span<const Lane>;
    using Chain = std::vector<Batch>;
    /// Caches must be reserved. Returns false where a hidden state is not finite.
    virtual bool run(std::span<const Chain> chains) = 0;
    virtual std::unique_ptr<TokenCache> make_cache() = 0;

    virtual std::int64_t max_batch() const = 0;
    /// Chains that are computed side by side: with so many of them all threads are busy.
    virtual std::int64_t parallel_chains() const = 0;
    /// Floats of a row of logits: the vocabulary, up to a multiple of 16.
    virtual std::int64_t padded_vocab() const = 0;
    virtual std::int64_t cache_bytes_per_token() const = 0;
};

} // namespace tempera
