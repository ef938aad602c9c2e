#pragma once

#include <string_view>

namespace tempera {

/// Finds one text in many, whatever the case: Unicode case folding (ICU), so that "STRASSE" finds "Straße".
class TextSearch {
public:
    explicit TextSearch(std::string_view needle);
    ~TextSearch();
    TextSearch(const TextSearch&) = delete;
    TextSearch& operator=(const TextSearch&) = delete;

    /// An empty needle is in every text. Broken UTF-8 is compared as U+FFFD.
    bool found_in(std::string_view text) const;

private:
    struct State;
    State* state_;
};

} // namespace tempera
