#pragma once

#include <string>
#include <string_view>

namespace tempera {

enum class UnicodeForm { nfc, nfd, nfkc, nfkd };

/// `text` (valid UTF-8) in a normal form over the characters of Unicode 9 only. The Rust crate under
/// tokenizers (unicode-normalization-alignments) knows no later ones and leaves them where they stand; token
/// ids must agree with it. False, and `out` untouched, where a glance shows that nothing changes.
bool to_unicode_form(UnicodeForm form, std::string_view text, std::string& out);

} // namespace tempera
