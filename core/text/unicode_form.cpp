#include "core/text/unicode_form.h"

#include "core/base/error.h"

#include <algorithm>
#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uniset.h>

namespace tempera {

namespace {

const icu::Normalizer2* unfiltered(UnicodeForm form, UErrorCode& status) {
    switch (form) {
    case UnicodeForm::nfc:
        return icu::Normalizer2::getNFCInstance(status);
    case UnicodeForm::nfd:
        return icu::Normalizer2::getNFDInstance(status);
    case UnicodeForm::nfkc:
        return icu::Normalizer2::getNFKCInstance(status);
    case UnicodeForm::nfkd:
        break;
    }
    return icu::Normalizer2::getNFKDInstance(status);
}

/// Lives as long as the program.
const icu::FilteredNormalizer2* over_unicode_9(UnicodeForm form) {
    UErrorCode status = U_ZERO_ERROR;
    static const icu::UnicodeSet* known = [&] {
        auto* set = new icu::UnicodeSet(u"[:age=9.0:]", status);
        set->freeze();
        return set;
    }();
    const icu::Normalizer2* normalizer = unfiltered(form, status);
    if (U_FAILURE(status))
        fail(ErrorKind::internal, std::string("ICU has no data of normal forms: ") + u_errorName(status));
    return new icu::FilteredNormalizer2(*normalizer, *known);
}

const icu::Normalizer2& normalizer_for(UnicodeForm form) {
    static const icu::FilteredNormalizer2* const normalizers[] = {
        over_unicode_9(UnicodeForm::nfc), over_unicode_9(UnicodeForm::nfd), over_unicode_9(UnicodeForm::nfkc),
        over_unicode_9(UnicodeForm::nfkd)};
    return *normalizers[static_cast<std::size_t>(form)];
}

/// First byte of the first character a form changes: below U+0300 nothing combines, below U+00C0 nothing has
/// a canonical decomposition, below U+0080 none of any kind.
unsigned char first_affected(UnicodeForm form) {
    return form == UnicodeForm::nfc ? 0xCC : form == UnicodeForm::nfd ? 0xC3 : 0x80;
}

} // namespace

bool to_unicode_form(UnicodeForm form, std::string_view text, std::string& out) {
    unsigned char affected = first_affected(form);
    if (std::none_of(text.begin(), text.end(),
                     [&](char c) { return static_cast<unsigned char>(c) >= affected; }))
        return false;
    if (text.size() > 0x7fffffff)
        fail(ErrorKind::bad_input, "A text of over 2 GiB cannot be normalised; split it.");
    out.clear();
    out.reserve(text.size());
    icu::StringByteSink<std::string> sink(&out);
    UErrorCode status = U_ZERO_ERROR;
    normalizer_for(form).normalizeUTF8(0, icu::StringPiece(text.data(), static_cast<int32_t>(text.size())),
                                       sink, nullptr, status);
    if (U_FAILURE(status))
        fail(ErrorKind::internal, std::string("ICU cannot normalise a text: ") + u_errorName(status));
    return true;
}

} // namespace tempera
