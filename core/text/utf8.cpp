#include "core/text/utf8.h"

#include <cstring>

namespace tempera {

namespace {

/// One step over `bytes` at `position`: length consumed, and whether it was a whole, valid character. A part
/// that is ill-formed is as long as the longest beginning of some valid character, at least one byte.
/// `unfinished`: the bytes ended first.
struct Step {
    std::size_t length;
    bool valid;
    bool unfinished;
};

Step step_at(std::string_view bytes, std::size_t position) {
    auto first = static_cast<unsigned char>(bytes[position]);
    if (first < 0x80) return {1, true, false};
    if (first < 0xC2 || first > 0xF4) return {1, false, false};
    std::size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    // Table 3-7 of the Unicode standard: only the second byte's range depends on the first.
    unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    for (std::size_t i = 1; i < length; ++i) {
        if (position + i >= bytes.size()) return {i, false, true};
        auto next = static_cast<unsigned char>(bytes[position + i]);
        if (next < low || next > high) return {i, false, false};
        low = 0x80;
        high = 0xBF;
    }
    return {length, true, false};
}

} // namespace

void append_utf8(std::string& out, char32_t c) {
    auto put = [&](char32_t byte) { out += static_cast<char>(byte); };
    if (c < 0x80) {
        put(c);
    } else if (c < 0x800) {
        put(0xC0 | (c >> 6));
        put(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        put(0xE0 | (c >> 12));
        put(0x80 | ((c >> 6) & 0x3F));
        put(0x80 | (c & 0x3F));
    } else {
        put(0xF0 | (c >> 18));
        put(0x80 | ((c >> 12) & 0x3F));
        put(0x80 | ((c >> 6) & 0x3F));
        put(0x80 | (c & 0x3F));
    }
}

std::size_t valid_utf8_prefix(std::string_view bytes) {
    std::size_t position = 0;
    while (position < bytes.size()) {
        std::uint64_t eight = 0;
        if (position + 8 <= bytes.size()) {
            std::memcpy(&eight, bytes.data() + position, 8);
            if (!(eight & 0x8080808080808080u)) {
                position += 8;
                continue;
            }
        }
        Step step = step_at(bytes, position);
        if (!step.valid) return position;
        position += step.length;
    }
    return position;
}

std::string replace_invalid_utf8(std::string_view bytes) {
    std::string out;
    while (!bytes.empty()) {
        std::size_t valid = valid_utf8_prefix(bytes);
        out.append(bytes.substr(0, valid));
        if (valid == bytes.size()) break;
        out += "\xEF\xBF\xBD";
        bytes.remove_prefix(valid + step_at(bytes, valid).length);
    }
    return out;
}

std::size_t unfinished_utf8_suffix(std::string_view bytes) {
    for (std::size_t length = 1; length <= 3 && length <= bytes.size(); ++length) {
        std::size_t start = bytes.size() - length;
        if ((static_cast<unsigned char>(bytes[start]) & 0xC0) == 0x80) continue;
        Step step = step_at(bytes, start);
        return step.unfinished && step.length == length ? length : 0;
    }
    return 0;
}

} // namespace tempera
