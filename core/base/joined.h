#pragma once

#include <concepts>
#include <functional>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>

namespace tempera {

/// The items one behind another: "a, b, c". `text` says what stands for an item, e.g. &HubFile::path; whole
/// numbers stand for themselves.
template <std::ranges::input_range Items, class Text = std::identity>
std::string joined(Items&& items, std::string_view separator = ", ", Text text = {}) {
    std::string all;
    bool first = true;
    for (auto&& item : items) {
        if (!std::exchange(first, false)) all += separator;
        if constexpr (std::integral<std::remove_cvref_t<decltype(std::invoke(text, item))>>)
            all += std::to_string(std::invoke(text, item));
        else
            all += std::invoke(text, item);
    }
    return all;
}

/// The first of the items, and how many there are beyond: "a, b and 3 more".
template <std::ranges::forward_range Items, class Text = std::identity>
std::string joined_first(const Items& items, std::ranges::range_difference_t<const Items> most,
                         Text text = {}) {
    const auto left = std::ranges::distance(items) - most;
    const std::string named = joined(items | std::views::take(most), ", ", std::move(text));
    return left > 0 ? named + " and " + std::to_string(left) + " more" : named;
}

/// As a sentence leaves a choice: "a, b or c".
template <std::ranges::forward_range Items, class Text = std::identity>
std::string joined_choice(const Items& items, Text text = {}) {
    const auto count = std::ranges::distance(items);
    if (count < 2) return joined(items, ", ", std::move(text));
    return joined(items | std::views::take(count - 1), ", ", text) + " or "
           + joined(items | std::views::drop(count - 1), ", ", std::move(text));
}

} // namespace tempera
