#include "core/text/token_decoder.h"

#include "core/base/error.h"
#include "core/text/byte_alphabet.h"
#include "core/text/json_fields.h"

namespace tempera {

TokenDecoder TokenDecoder::from_json(const Json& json, const std::string& source) {
    TokenDecoder result;
    if (json.is_null()) return result;
    std::string type = text_json::type_of(json, source);
    if (type == "ByteLevel") {
        result.byte_level_ = true;
        result.separator_.clear();
    } else if (type == "Fuse") {
        result.separator_.clear();
    } else if (type == "Sequence") {
        bool fused = false;
        for (const Json& part : text_json::array_field(json, "decoders", source)) {
            TokenDecoder step = from_json(part, source);
            if (step.byte_level_ && fused)
                fail(ErrorKind::unsupported,
                     source + ": ByteLevel behind another decoder is not implemented.");
            fused = true;
            result.byte_level_ |= step.byte_level_;
        }
        result.separator_.clear();
    } else {
        fail(ErrorKind::unsupported, source + ": the decoder " + text_json::quoted(type)
                                         + " is not implemented; ByteLevel, Fuse and Sequence are.");
    }
    return result;
}

void TokenDecoder::append_bytes(std::string_view piece, std::string& out) const {
    if (!byte_level_ || !ByteAlphabet::instance().to_bytes(piece, out)) out += piece;
}

} // namespace tempera
