#include "core/text/charsmap.h"

#include "core/base/error.h"
#include "core/text/grapheme.h"
#include "core/text/utf8.h"

#include <cstring>

namespace tempera {

namespace {

// One unit of the double array, as darts-clone packs it.
bool has_leaf(std::uint32_t unit) {
    return unit >> 8 & 1;
}
std::uint32_t value_of(std::uint32_t unit) {
    return unit & 0x7fffffffu;
}
std::uint32_t label_of(std::uint32_t unit) {
    return unit & 0x800000ffu;
}
std::uint32_t offset_of(std::uint32_t unit) {
    return unit >> 10 << ((unit & 0x200u) >> 6);
}

int base64_value(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/// False where `text` is no base64 with its padding.
bool decode_base64(std::string_view text, std::string& out) {
    if (text.size() % 4 != 0) return false;
    for (int padding = 0; padding < 2 && text.ends_with('='); ++padding)
        text.remove_suffix(1);
    std::uint32_t bits = 0;
    int count = 0;
    for (char c : text) {
        int value = base64_value(c);
        if (value < 0) return false;
        bits = bits << 6 | static_cast<std::uint32_t>(value);
        count += 6;
        if (count >= 8) {
            count -= 8;
            out += static_cast<char>(bits >> count & 0xFF);
        }
    }
    return (bits & ((1u << count) - 1)) == 0;
}

} // namespace

Charsmap Charsmap::from_base64(std::string_view base64, const std::string& source) {
    std::string bytes;
    if (!decode_base64(base64, bytes)) fail(ErrorKind::bad_input, source + " is not base64.");
    return from_bytes(bytes, source);
}

Charsmap Charsmap::from_bytes(std::string_view bytes, const std::string& source) {
    auto word_at = [&](std::size_t position) {
        std::uint32_t value = 0;
        for (unsigned i = 0; i < 4; ++i)
            value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[position + i])) << (8 * i);
        return value;
    };
    std::size_t size = bytes.size() < 4 ? 0 : word_at(0);
    if (bytes.size() < 4 || size > bytes.size() - 4)
        fail(ErrorKind::bad_input, source + " is truncated: its double array has " + std::to_string(size)
                                       + " bytes, but the map has " + std::to_string(bytes.size()) + ".");
    if (size == 0 || size % 4 != 0)
        fail(ErrorKind::bad_input, source + ": a double array of " + std::to_string(size)
                                       + " bytes cannot be; it must be a multiple of 4 and not 0.");
    Charsmap result;
    result.units_.resize(size / 4);
    for (std::size_t i = 0; i < result.units_.size(); ++i)
        result.units_[i] = word_at(4 + 4 * i);
    result.replacements_ = bytes.substr(4 + size);
    if (!is_valid_utf8(result.replacements_))
        fail(ErrorKind::bad_input, source + ": the replacements are not UTF-8.");
    result.check_entries(source);
    return result;
}

/// Goes to every entry once, so that no look-up can lead outside; a unit seen twice is not gone over again.
void Charsmap::check_entries(const std::string& source) {
    std::vector<bool> seen(units_.size());
    std::vector<std::uint32_t> open{offset_of(units_[0])}; // positions children are counted from
    bool at_root = true;
    while (!open.empty()) {
        std::uint32_t base = open.back();
        open.pop_back();
        for (std::uint32_t byte = 1; byte < 256; ++byte) {
            std::uint32_t position = base ^ byte;
            if (position >= units_.size() || label_of(units_[position]) != byte) continue;
            if (at_root) begins_[byte] = true;
            if (seen[position]) continue;
            seen[position] = true;
            std::uint32_t next = position ^ offset_of(units_[position]);
            if (has_leaf(units_[position])) {
                std::uint32_t value = next < units_.size() ? value_of(units_[next]) : 0xffffffffu;
                bool starts_character = value < replacements_.size()
                                        && (static_cast<unsigned char>(replacements_[value]) & 0xC0) != 0x80;
                if (!starts_character)
                    fail(ErrorKind::bad_input, source + ": an entry of the double array points outside the "
                                                   + std::to_string(replacements_.size())
                                                   + " bytes of replacements.");
            }
            open.push_back(next);
        }
        at_root = false;
    }
}

std::string_view Charsmap::replacement_at(std::uint32_t value) const {
    std::string_view rest = std::string_view(replacements_).substr(value);
    return rest.substr(0, rest.find('\0'));
}

bool Charsmap::shortest_match(std::string_view text, std::string_view& replacement) const {
    std::uint32_t position = offset_of(units_[0]);
    for (char c : text) {
        auto byte = static_cast<unsigned char>(c);
        if (byte == 0) return false;
        position ^= byte;
        if (position >= units_.size() || label_of(units_[position]) != byte) return false;
        std::uint32_t unit = units_[position];
        position ^= offset_of(unit);
        if (has_leaf(unit)) {
            replacement = replacement_at(value_of(units_[position]));
            return true;
        }
    }
    return false;
}

std::string_view Charsmap::longest_match(std::string_view text, std::size_t& length) const {
    std::string_view longest;
    std::uint32_t position = offset_of(units_[0]);
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto byte = static_cast<unsigned char>(text[i]);
        position ^= byte;
        if (byte == 0 || position >= units_.size() || label_of(units_[position]) != byte) break;
        std::uint32_t unit = units_[position];
        position ^= offset_of(unit);
        if (has_leaf(unit)) {
            longest = replacement_at(value_of(units_[position]));
            length = i + 1;
        }
    }
    return longest;
}

bool Charsmap::apply(std::string_view text, std::string& out) const {
    out.clear();
    out.reserve(text.size() + text.size() / 8);
    bool changed = false;
    std::string_view replacement;
    auto look_up = [&](std::string_view part) {
        if (!begins_[static_cast<unsigned char>(part[0])] || !shortest_match(part, replacement)) return false;
        out += replacement;
        return changed = true;
    };
    for (std::size_t position = 0; position < text.size();) {
        auto byte = static_cast<unsigned char>(text[position]);
        // Two characters of ASCII are two clusters, but for the line end of two characters.
        bool alone =
            byte < 0x80 && byte != '\r'
            && (position + 1 == text.size() || static_cast<unsigned char>(text[position + 1]) < 0x80);
        if (alone && !begins_[byte]) {
            out += static_cast<char>(byte);
            ++position;
            continue;
        }
        std::size_t end = alone ? position + 1 : grapheme_end(text, position);
        if (end - position < 6 && look_up(text.substr(position, end - position))) {
            position = end;
            continue;
        }
        while (position < end) {
            CodePoint c = code_point_at(text, position);
            std::string_view character = text.substr(position, c.end - position);
            if (!look_up(character)) out += character;
            position = c.end;
        }
    }
    return changed;
}

namespace {

/// Length of the longest text in `symbols` that `text` begins with; 0 where there is none.
std::size_t symbol_length(const ByteTrie& symbols, std::string_view text) {
    std::size_t longest = 0;
    std::uint32_t node = ByteTrie::root;
    for (std::size_t i = 0; i < text.size(); ++i) {
        node = symbols.child(node, text[i]);
        if (node == ByteTrie::nowhere) break;
        if (symbols.id(node) >= 0) longest = i + 1;
    }
    return longest;
}

constexpr std::string_view space_mark = "\u2581";

} // namespace

void SentencePieceRules::apply(std::string_view text, std::string& out) const {
    out.clear();
    out.reserve(text.size() + text.size() / 2 + 3);
    std::size_t length = 0;
    auto next_part = [&]() -> std::string_view {
        length = symbol_length(untouched, text);
        if (length > 0) return text.substr(0, length);
        std::string_view match = charsmap ? charsmap->longest_match(text, length) : std::string_view();
        if (length > 0) return match;
        length = code_point_at(text, 0).end;
        return text.substr(0, length);
    };
    std::string_view space = escape_whitespaces ? space_mark : " ";
    while (remove_extra_whitespaces && !text.empty() && next_part() == " ")
        text.remove_prefix(length);
    if (text.empty()) return;
    if (add_dummy_prefix && !whitespace_as_suffix) out += space;
    bool after_space = remove_extra_whitespaces;
    while (!text.empty()) {
        std::string_view part = next_part();
        while (after_space && part.starts_with(' '))
            part.remove_prefix(1);
        for (char c : part)
            if (c == ' ')
                out += space;
            else
                out += c;
        if (!part.empty()) after_space = remove_extra_whitespaces && part.ends_with(' ');
        text.remove_prefix(length);
    }
    while (remove_extra_whitespaces && out.ends_with(space))
        out.resize(out.size() - space.size());
    if (add_dummy_prefix && whitespace_as_suffix) out += space;
}

} // namespace tempera
