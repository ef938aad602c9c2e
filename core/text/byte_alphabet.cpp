#include "core/text/byte_alphabet.h"

#include "core/text/utf8.h"

namespace tempera {

const ByteAlphabet& ByteAlphabet::instance() {
    static const ByteAlphabet alphabet;
    return alphabet;
}

ByteAlphabet::ByteAlphabet() {
    bytes_.fill(-1);
    char32_t next_free = 0x100;
    for (unsigned byte = 0; byte < 256; ++byte) {
        bool printable = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
        char32_t character = printable ? byte : next_free++;
        append_utf8(characters_[byte], character);
        bytes_[character] = static_cast<std::int16_t>(byte);
    }
}

std::string ByteAlphabet::to_alphabet(std::string_view bytes) const {
    std::string out;
    for (char byte : bytes)
        out += of(static_cast<std::uint8_t>(byte));
    return out;
}

bool ByteAlphabet::to_bytes(std::string_view piece, std::string& out) const {
    std::size_t before = out.size();
    for (std::size_t position = 0; position < piece.size();) {
        CodePoint c = code_point_at(piece, position);
        if (c.value >= bytes_.size() || bytes_[c.value] < 0) {
            out.resize(before);
            return false;
        }
        out += static_cast<char>(bytes_[c.value]);
        position = c.end;
    }
    return true;
}

} // namespace tempera
