#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tempera {

/// Cuts one text's tokens, or those of two together, to `room`: from the longer text until both are as long,
/// then from both. `pair` may be null. Returns how many tokens went. Formula: tokenizers,
/// utils/truncation.rs, LongestFirst.
std::size_t truncate_longest_first(std::vector<std::int32_t>& text, std::vector<std::int32_t>* pair,
                                   std::size_t room, bool left);

} // namespace tempera
