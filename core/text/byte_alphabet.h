#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace tempera {

/// GPT-2's replacement of the 256 bytes by printable characters (U+0021 .. U+0143), in which byte-level
/// vocabularies are written.
class ByteAlphabet {
public:
    static const ByteAlphabet& instance();

    /// The character of a byte, as UTF-8.
    const std::string& of(std::uint8_t byte) const { return characters_[byte]; }
    std::string to_alphabet(std::string_view bytes) const;
    /// The bytes `piece` (valid UTF-8) stands for; false, and `out` as it was, where a character is outside
    /// the alphabet.
    bool to_bytes(std::string_view piece, std::string& out) const;

private:
    ByteAlphabet();

    std::array<std::string, 256> characters_;
    std::array<std::int16_t, 0x144> bytes_; ///< of a code point; -1 = outside
};

} // namespace tempera
