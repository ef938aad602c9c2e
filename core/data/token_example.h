#pragma once

#include "core/data/training_set.h"
#include "core/text/tokenizer.h"

#include <cstdint>
#include <span>
#include <vector>

namespace tempera {

/// A tokenised example. Tokens from `label_begin` on are learnt; the first token of all has nothing to be
/// predicted from.
struct TokenExample {
    std::vector<std::int32_t> ids;
    std::int64_t label_begin = 0;

    std::int64_t length() const { return static_cast<std::int64_t>(ids.size()); }
    /// Index of the first token that is predicted.
    std::int64_t first_target() const { return label_begin > 1 ? label_begin : 1; }
    std::int64_t targets() const { return length() > first_target() ? length() - first_target() : 0; }
};

struct TokenisedSet {
    std::vector<TokenExample> examples;
    std::vector<std::int64_t> source_rows; ///< examples[i] is row source_rows[i] of the text
    std::int64_t dropped = 0; ///< rows without a token to learn, e.g. a prompt longer than max_length
    std::int64_t truncated = 0;
    std::int64_t merged_boundaries = 0; ///< rows where a token spans the end of the prompt
};

struct TokeniseOptions {
    std::int32_t eos_id = -1;
    bool completion_only = true;    ///< else every token is learnt
    std::int64_t max_length = 1024; ///< the start is kept
};

/// One example, not cut to max_length. `merged`, where given, says whether a token spans the end of the
/// prompt.
TokenExample tokenise_example(const TextExample& text, const Tokenizer& tokenizer,
                              const TokeniseOptions& options, bool* merged = nullptr);

/// As TRL 1.16 prepares prompt-completion data: the EOS token's text is appended where the completion does
/// not end in it (a chat template's text has its own end); prompt and prompt + completion are tokenised each,
/// and the completion begins where the two stop to agree; truncation keeps the start; rows left without a
/// label are dropped.
TokenisedSet tokenise_examples(std::span<const TextExample> texts, const Tokenizer& tokenizer,
                               const TokeniseOptions& options);

} // namespace tempera
