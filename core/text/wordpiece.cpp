#include "core/text/wordpiece.h"

#include "core/base/error.h"
#include "core/text/json_fields.h"
#include "core/text/word_cache.h"

#include <algorithm>

namespace tempera {

WordPiece WordPiece::from_json(const Json& json, const Vocabulary& vocabulary, const std::string& source) {
    WordPiece result;
    result.cache_key_ = WordCache::new_key();
    std::string unknown = text_json::string_field(json, "unk_token", source);
    auto id = vocabulary.id_of(unknown);
    if (!id)
        fail(ErrorKind::bad_input,
             source + ": the unk_token " + text_json::quoted(unknown) + " is not in the vocabulary.");
    result.unknown_id_ = *id;
    const Json& most = text_json::require(json, "max_input_chars_per_word", source);
    if (!most.is_number_unsigned())
        fail(ErrorKind::bad_input,
             source + ": \"max_input_chars_per_word\" must be a whole number, but is " + most.dump() + ".");
    result.most_characters_ = most.get<std::uint64_t>();
    text_json::fill_trie(result.trie_, vocabulary, source);
    result.continuing_ =
        result.trie_.walk(text_json::string_field(json, "continuing_subword_prefix", source));
    return result;
}

void WordPiece::encode_word_uncached(std::string_view word, std::vector<std::int32_t>& out) const {
    std::size_t before = out.size();
    auto unknown = [&] {
        out.resize(before);
        out.push_back(unknown_id_);
    };
    if (word.size() > most_characters_) {
        auto characters = static_cast<std::uint64_t>(std::count_if(
            word.begin(), word.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
        if (characters > most_characters_) return unknown();
    }
    for (std::size_t begin = 0; begin < word.size();) {
        std::uint32_t node = begin == 0 ? ByteTrie::root : continuing_;
        std::int32_t longest = -1;
        std::size_t end = begin;
        for (std::size_t i = begin; i < word.size() && node != ByteTrie::nowhere; ++i) {
            node = trie_.child(node, word[i]);
            if (node != ByteTrie::nowhere && trie_.id(node) >= 0) {
                longest = trie_.id(node);
                end = i + 1;
            }
        }
        if (longest < 0) return unknown();
        out.push_back(longest);
        begin = end;
    }
}

void WordPiece::encode_word(std::string_view word, std::vector<std::int32_t>& out) const {
    WordCache::encode(cache_key_, word, out, [&] { encode_word_uncached(word, out); });
}

} // namespace tempera
