#pragma once

#include "core/base/json.h"

#include <string>
#include <string_view>

namespace tempera {

/// BertNormalizer of a tokenizer.json: cleans controls away and makes white space a space, puts spaces around
/// Chinese characters, strips accents, lowers the case. Formula: tokenizers, normalizers/bert.rs, oddities
/// included: no final sigma, U+2B820 .. U+2B91F are not Chinese, Hangul stays decomposed where accents go.
struct BertNormalizer {
    bool clean_text = true;
    bool spaces_around_chinese = true;
    bool strip_accents = true;
    bool lowercase = true;

    static BertNormalizer from_json(const Json& json, const std::string& source);
    /// `text` must be valid UTF-8; `out` is overwritten. Returns whether the first character went away.
    bool apply(std::string_view text, std::string& out) const;
};

/// `text` in lower case, character by character.
void append_lower_case(char32_t c, std::string& out);

} // namespace tempera
