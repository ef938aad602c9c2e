#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace tempera {

/// Character classes as Hugging Face tokenizers sees them (measured: tests/golden/make_char_classes.py). A
/// code point has several; `numeric` and `number` differ in the Unicode version their crates follow.
enum CharClass : std::uint16_t {
    class_letter = 1,            ///< \p{L}
    class_number = 2,            ///< \p{N}
    class_numeric = 4,           ///< Rust's char::is_numeric, what Digits splits on
    class_word = 8,              ///< \w, what single_word added tokens look at
    class_space = 16,            ///< \s, White_Space
    class_punctuation = 32,      ///< ASCII punctuation and P*, what BertPreTokenizer splits on
    class_control = 64,          ///< Cc, Cf, Co and U+FFFD without \t \n \r: what BertNormalizer cleans away
    class_nonspacing_mark = 128, ///< Mn: BertNormalizer's accents
    class_combining_mark = 256   ///< M*: StripAccents' accents
};

/// Two-stage table: 256 code points a block. Built once.
class CharClassTable {
public:
    CharClassTable();
    std::uint16_t operator()(char32_t c) const { return blocks_[index_[c >> 8]][c & 0xFF]; }

private:
    std::array<std::uint16_t, 0x1100> index_{};
    std::vector<std::array<std::uint16_t, 256>> blocks_;
};

/// The classes of code points 0 .. U+10FFFF.
const CharClassTable& char_classes();

/// Lower case as Rust's char::to_lowercase has it, without regard to what stands around (no final sigma); the
/// one character with two in lower case, U+0130, is itself here (it becomes "i\u0307").
char32_t lower_case(char32_t c);

} // namespace tempera
