#pragma once

#include "core/text/charsmap.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tempera {

/// What a SentencePiece ".model" file (a protobuf ModelProto, sentencepiece_model.proto) says about encoding.
struct SentencePieceModel {
    enum class Type { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };
    struct Piece {
        std::string text;
        float score = 0;
        Type type = Type::normal;
    };
    std::vector<Piece> pieces; ///< the place is the id
    bool byte_fallback = false;
    SentencePieceRules rules;
};

/// Throws Error(bad_input) for bytes that are no such file, and Error(unsupported) for a model other than
/// Unigram.
SentencePieceModel parse_sentencepiece(std::string_view bytes, const std::string& source);

} // namespace tempera
