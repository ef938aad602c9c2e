#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tempera {

/// The candidate nearest to `word` by edit distance, where it is near enough to be a slip (at most a third of
/// the letters, at least one); for "Unknown field "leaning_rate": did you mean "learning_rate"?".
std::optional<std::string> nearest_name(std::string_view word, const std::vector<std::string>& candidates);

/// " Did you mean "x"?" or "".
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

} // namespace tempera
