#pragma once

#include "core/base/json.h"
#include "core/text/byte_trie.h"
#include "core/text/sentencepiece.h"
#include "core/text/vocabulary.h"

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace tempera {

/// Unigram (Kudo 2018): of all ways to cut a word into tokens the one with the largest sum of scores, found
/// by Viterbi's algorithm from left to right; of two equal ones the first found. A character that is no token
/// by itself may be the unknown token at the smallest score less 10; neighbouring unknown ones become one,
/// or, with byte_fallback, the tokens "<0x00>" .. "<0xFF>" of their bytes. Thread-safe; every thread
/// remembers recent words on its own.
class Unigram {
public:
    /// `json` is the "model" object. Throws Error(bad_input) for wrong types, an empty vocabulary, an unk_id
    /// outside it, a token of over 1024 bytes.
    static Unigram from_json(const Json& json, const Vocabulary& vocabulary, const std::string& source);

    /// As SentencePiece itself has it: sums in 32 bits instead of 64, user-defined pieces before all others,
    /// no unused ones.
    static Unigram of_sentencepiece(const SentencePieceModel& model, const Vocabulary& vocabulary);

    /// Appends the ids of one pre-token (valid UTF-8). Throws Error(bad_input) for a character no token
    /// covers where the file names no unknown token.
    void encode_word(std::string_view word, std::vector<std::int32_t>& out) const;
    /// The same without the memory of recent words.
    void encode_word_uncached(std::string_view word, std::vector<std::int32_t>& out) const;

private:
    template <class Real>
    void encode_with(std::string_view word, std::vector<std::int32_t>& out) const;
    void find_byte_tokens(const Vocabulary& vocabulary);
    void append_unknown(std::string_view part, std::vector<std::int32_t>& out) const;

    ByteTrie trie_;
    std::vector<double> scores_;
    double unknown_score_ = 0;
    std::int32_t unknown_id_ = -1;
    bool byte_fallback_ = false;
    bool sentencepiece_ = false;
    std::array<std::int32_t, 256> byte_ids_{}; ///< -1 where the vocabulary lacks the byte's token
    std::uint64_t cache_key_ = 0;
};

} // namespace tempera
