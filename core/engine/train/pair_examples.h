#pragma once

#include "core/base/content_hash.h"
#include "core/data/preferences.h"
#include "core/text/tokenizer.h"

#include <cstdint>
#include <span>
#include <vector>

namespace tempera {

/// A tokenised preference: the prompt both answers share, and the answers behind it.
struct PairExample {
    std::vector<std::int32_t> prompt;
    std::vector<std::int32_t> chosen;
    std::vector<std::int32_t> rejected;
    std::int64_t row = 0; ///< of the file, from 1

    /// Tokens that are computed: the prompt once.
    std::int64_t tokens() const {
        return static_cast<std::int64_t>(prompt.size() + chosen.size() + rejected.size());
    }
    /// Tokens of the two texts, as TRL counts them: the prompt twice.
    std::int64_t text_tokens() const { return tokens() + static_cast<std::int64_t>(prompt.size()); }
};

struct TokenisedPairs {
    std::vector<PairExample> examples;
    std::int64_t dropped = 0;   ///< prompts that fill max_length, and answers without a token to learn
    std::int64_t truncated = 0; ///< pairs with an answer that was cut
    std::int64_t merged_boundaries = 0; ///< pairs where a token spans the end of the prompt
    std::int64_t longest = 0;           ///< tokens of the longest text
};

/// Adds the tokens of every example.
void add_to(ContentHash& hash, std::span<const PairExample> examples);

struct PairTokeniseOptions {
    std::int32_t eos_id = -1;
    std::int64_t max_length = 1024; ///< of prompt and answer together; the start is kept
};

/// As TRL 1.16's DPOTrainer prepares preferences: the EOS token's text is appended to answers that do not end
/// in it (not to a chat template's text); prompt, prompt + chosen and prompt + rejected are tokenised each,
/// and the answers begin where both texts stop to agree with the prompt.
TokenisedPairs tokenise_pairs(std::span<const PreferencePair> pairs, const Tokenizer& tokenizer,
                              const PairTokeniseOptions& options);

} // namespace tempera
