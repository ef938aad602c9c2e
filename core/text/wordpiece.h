#pragma once

#include "core/base/json.h"
#include "core/text/byte_trie.h"
#include "core/text/vocabulary.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace tempera {

/// WordPiece (Schuster and Nakajima 2012, as BERT uses it): the longest token a word begins with, then the
/// longest that the rest begins with behind the continuing prefix ("##"), and so on. A word with a part no
/// token covers, or with too many characters, is the unknown token as a whole. Thread-safe; every thread
/// remembers recent words on its own.
class WordPiece {
public:
    /// `json` is the "model" object. Throws Error(bad_input) for wrong types, an unk_token the vocabulary
    /// lacks, a token of over 1024 bytes.
    static WordPiece from_json(const Json& json, const Vocabulary& vocabulary, const std::string& source);

    /// Appends the ids of one pre-token (valid UTF-8).
    void encode_word(std::string_view word, std::vector<std::int32_t>& out) const;
    /// The same without the memory of recent words.
    void encode_word_uncached(std::string_view word, std::vector<std::int32_t>& out) const;

private:
    ByteTrie trie_;
    std::uint32_t continuing_ = ByteTrie::nowhere; ///< the node behind the prefix
    std::int32_t unknown_id_ = 0;
    std::uint64_t most_characters_ = 100;
    std::uint64_t cache_key_ = 0;
};

} // namespace tempera
