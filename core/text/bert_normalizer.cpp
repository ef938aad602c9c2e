#include "core/text/bert_normalizer.h"

#include "core/text/char_class.h"
#include "core/text/json_fields.h"
#include "core/text/unicode_form.h"
#include "core/text/utf8.h"

namespace tempera {

namespace {

bool is_chinese(char32_t c) {
    return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF)
           || (c >= 0x2A700 && c <= 0x2B73F) || (c >= 0x2B740 && c <= 0x2B81F)
           || (c >= 0x2B920 && c <= 0x2CEAF) || (c >= 0xF900 && c <= 0xFAFF)
           || (c >= 0x2F800 && c <= 0x2FA1F);
}

/// An ASCII character after cleaning; -1 where it goes away.
int cleaned_ascii(unsigned char c) {
    if (c == '\t' || c == '\n' || c == '\r') return ' ';
    return c < 0x20 || c == 0x7F ? -1 : c;
}

} // namespace

BertNormalizer BertNormalizer::from_json(const Json& json, const std::string& source) {
    BertNormalizer result;
    result.clean_text = text_json::bool_field(json, "clean_text", source);
    result.spaces_around_chinese = text_json::bool_field(json, "handle_chinese_chars", source);
    result.lowercase = text_json::bool_field(json, "lowercase", source);
    result.strip_accents = text_json::bool_field(json, "strip_accents", result.lowercase, source);
    return result;
}

void append_lower_case(char32_t c, std::string& out) {
    if (c == 0x130) // the only one with two characters in lower case
        out += "i\u0307";
    else
        append_utf8(out, lower_case(c));
}

bool BertNormalizer::apply(std::string_view text, std::string& out) const {
    const CharClassTable& classes = char_classes();
    out.clear();
    out.reserve(text.size() + text.size() / 4);
    bool first_went = false, ascii = true;
    for (std::size_t position = 0; position < text.size();) {
        auto byte = static_cast<unsigned char>(text[position]);
        if (byte < 0x80) {
            int c = clean_text ? cleaned_ascii(byte) : byte;
            if (lowercase && c >= 'A' && c <= 'Z') c += 32; // ASCII has no accents: the order does not matter
            if (c >= 0)
                out += static_cast<char>(c);
            else
                first_went |= position == 0;
            ++position;
            continue;
        }
        ascii = false;
        CodePoint c = code_point_at(text, position);
        std::uint16_t is = classes(c.value);
        if (clean_text && (is & class_control)) {
            first_went |= position == 0;
        } else if (clean_text && (is & class_space)) {
            out += ' ';
        } else if (spaces_around_chinese && is_chinese(c.value)) {
            out += ' ';
            out.append(text.substr(position, c.end - position));
            out += ' ';
        } else {
            out.append(text.substr(position, c.end - position));
        }
        position = c.end;
    }
    if (ascii || (!strip_accents && !lowercase)) return first_went;
    std::string decomposed;
    if (!strip_accents || !to_unicode_form(UnicodeForm::nfd, out, decomposed)) decomposed.swap(out);
    out.clear();
    for (std::size_t position = 0; position < decomposed.size();) {
        CodePoint c = code_point_at(decomposed, position);
        if (strip_accents && (classes(c.value) & class_nonspacing_mark))
            first_went |= position == 0;
        else if (lowercase)
            append_lower_case(c.value, out);
        else
            out.append(decomposed, position, c.end - position);
        position = c.end;
    }
    return first_went;
}

} // namespace tempera
