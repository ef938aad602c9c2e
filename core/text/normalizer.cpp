#include "core/text/normalizer.h"

#include "core/base/error.h"
#include "core/text/json_fields.h"

#include <algorithm>
#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uniset.h>

namespace tempera {

namespace {

/// NFC over the characters of Unicode 9 only. The Rust crate under tokenizers
/// (unicode-normalization-alignments) knows no later ones and leaves them where they stand; token ids must
/// agree with it.
const icu::Normalizer2& nfc_of_unicode_9() {
    static const icu::FilteredNormalizer2* normalizer = [] {
        UErrorCode status = U_ZERO_ERROR;
        auto* known = new icu::UnicodeSet(u"[:age=9.0:]", status);
        const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(status);
        if (U_FAILURE(status))
            fail(ErrorKind::internal, std::string("ICU has no NFC data: ") + u_errorName(status));
        known->freeze();
        return new icu::FilteredNormalizer2(*nfc, *known); // both live as long as the program
    }();
    return *normalizer;
}

/// Below U+0300 nothing combines: such text is its own NFC. Bytes from 0xCC on begin U+0300 and above.
bool trivially_nfc(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0xCC; });
}

} // namespace

Normalizer Normalizer::from_json(const Json& json, const std::string& source) {
    Normalizer result;
    if (json.is_null()) return result;
    std::string type = text_json::type_of(json, source);
    if (type == "NFC") {
        result.nfc_ = true;
    } else if (type == "Sequence") {
        for (const Json& part : text_json::array_field(json, "normalizers", source))
            result.nfc_ |= from_json(part, source).nfc_;
    } else {
        fail(ErrorKind::unsupported, source + ": the normalizer " + text_json::quoted(type)
                                         + " is not implemented; NFC and Sequence are.");
    }
    return result;
}

std::string_view Normalizer::apply(std::string_view text, std::string& buffer) const {
    if (!nfc_ || trivially_nfc(text)) return text;
    if (text.size() > 0x7fffffff)
        fail(ErrorKind::bad_input, "A text of over 2 GiB cannot be normalised; split it.");
    buffer.clear();
    buffer.reserve(text.size());
    icu::StringByteSink<std::string> sink(&buffer);
    UErrorCode status = U_ZERO_ERROR;
    nfc_of_unicode_9().normalizeUTF8(0, icu::StringPiece(text.data(), static_cast<int32_t>(text.size())),
                                     sink, nullptr, status);
    if (U_FAILURE(status))
        fail(ErrorKind::internal, std::string("ICU cannot normalise a text: ") + u_errorName(status));
    return buffer;
}

} // namespace tempera
