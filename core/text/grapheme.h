#pragma once

#include <string_view>

namespace tempera {

/// End of the extended grapheme cluster that begins at `position` < text.size(). `text` must be valid UTF-8
/// and `position` a cluster's beginning. Formula: Unicode Standard Annex 29, GB3 to GB13, with ICU's
/// properties.
std::size_t grapheme_end(std::string_view text, std::size_t position);

} // namespace tempera
