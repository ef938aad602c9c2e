#pragma once

#include "core/base/json.h"

#include <string>
#include <string_view>

namespace tempera {

/// The "decoder" of a tokenizer.json: ByteLevel, Fuse, a Sequence of these, or none (tokens joined by
/// spaces).
class TokenDecoder {
public:
    TokenDecoder() = default;
    /// `json` may be null. Throws Error(bad_input), and Error(unsupported) with the name of a type outside
    /// the list.
    static TokenDecoder from_json(const Json& json, const std::string& source);

    /// Appends the bytes one token stands for. With ByteLevel they may be part of a character; a token with a
    /// character outside the byte alphabet stands for itself.
    void append_bytes(std::string_view piece, std::string& out) const;
    std::string_view separator() const { return separator_; }

private:
    bool byte_level_ = false;
    std::string separator_ = " ";
};

} // namespace tempera
