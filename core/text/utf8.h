#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tempera {

/// The code point at `position` and where the next one begins. `text` must be valid UTF-8 and position <
/// text.size().
struct CodePoint {
    char32_t value;
    std::size_t end;
};

inline CodePoint code_point_at(std::string_view text, std::size_t position) {
    auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[position + i]); };
    char32_t first = byte(0);
    if (first < 0x80) return {first, position + 1};
    if (first < 0xE0) return {((first & 0x1F) << 6) | (byte(1) & 0x3Fu), position + 2};
    if (first < 0xF0)
        return {((first & 0x0F) << 12) | ((byte(1) & 0x3Fu) << 6) | (byte(2) & 0x3Fu), position + 3};
    return {((first & 0x07) << 18) | ((byte(1) & 0x3Fu) << 12) | ((byte(2) & 0x3Fu) << 6) | (byte(3) & 0x3Fu),
            position + 4};
}

/// Where the code point that ends at `end` begins. Valid UTF-8, end > 0.
inline std::size_t code_point_before(std::string_view text, std::size_t end) {
    do {
        --end;
    } while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80);
    return end;
}

void append_utf8(std::string& out, char32_t code_point);

/// Length of the longest prefix that is valid UTF-8 (no surrogates, nothing over U+10FFFF, no overlong
/// forms).
std::size_t valid_utf8_prefix(std::string_view bytes);
inline bool is_valid_utf8(std::string_view bytes) {
    return valid_utf8_prefix(bytes) == bytes.size();
}

/// `bytes` with every maximal ill-formed part replaced by one U+FFFD: Unicode 3.9 "substitution of maximal
/// subparts", as Python's bytes.decode("utf-8", "replace") and Rust's from_utf8_lossy do.
std::string replace_invalid_utf8(std::string_view bytes);

/// Length of an unfinished but so far well-formed UTF-8 character at the end of `bytes` (0 .. 3).
std::size_t unfinished_utf8_suffix(std::string_view bytes);

} // namespace tempera
