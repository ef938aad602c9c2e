#pragma once

#include "core/text/byte_trie.h"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tempera {

/// SentencePiece's precompiled character map: a double array (Darts) of texts to replace, and what replaces
/// them.
class Charsmap {
public:
    /// Base64 of: size of the double array in bytes (32 bits, little endian), the double array, replacements
    /// ended by NUL. Throws Error(bad_input) where it is truncated or an entry leads outside.
    static Charsmap from_base64(std::string_view base64, const std::string& source);
    static Charsmap from_bytes(std::string_view bytes, const std::string& source);

    /// As tokenizers' Precompiled: every extended grapheme cluster of under 6 bytes is looked up as a whole,
    /// and where that finds nothing its characters one by one; a look-up takes the *shortest* entry the text
    /// begins with and replaces all of what was looked up. False where nothing changes.
    bool apply(std::string_view text, std::string& out) const;

    /// As SentencePiece: the longest entry `text` begins with. Null data where there is none; `length` is
    /// that of the entry.
    std::string_view longest_match(std::string_view text, std::size_t& length) const;

private:
    void check_entries(const std::string& source);
    /// Replacement by the shortest entry that `text` begins with.
    bool shortest_match(std::string_view text, std::string_view& replacement) const;
    std::string_view replacement_at(std::uint32_t value) const;

    std::vector<std::uint32_t> units_;
    std::string replacements_;
    std::array<bool, 256> begins_{}; ///< whether some entry begins with the byte
};

/// How a SentencePiece model normalises, and the text it then cuts. Formula: sentencepiece, normalizer.cc.
struct SentencePieceRules {
    std::shared_ptr<const Charsmap> charsmap; ///< null = none
    bool add_dummy_prefix = true;
    bool remove_extra_whitespaces = true;
    bool escape_whitespaces = true; ///< a space becomes U+2581
    bool whitespace_as_suffix = false;
    ByteTrie untouched; ///< user-defined symbols, which nothing changes; the longest wins

    void apply(std::string_view text, std::string& out) const;
};

} // namespace tempera
