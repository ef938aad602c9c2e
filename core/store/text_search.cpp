#include "core/store/text_search.h"

#include <algorithm>
#include <string>
#include <unicode/unistr.h>

namespace tempera {

namespace {

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 128; });
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

icu::UnicodeString folded(std::string_view text) {
    return icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())))
        .foldCase();
}

} // namespace

struct TextSearch::State {
    bool ascii = false;
    std::string lowered;
    icu::UnicodeString needle;
};

TextSearch::TextSearch(std::string_view needle) : state_(new State) {
    state_->ascii = is_ascii(needle);
    state_->lowered.resize(needle.size());
    std::transform(needle.begin(), needle.end(), state_->lowered.begin(), lower);
    state_->needle = folded(needle);
}

TextSearch::~TextSearch() {
    delete state_;
}

bool TextSearch::found_in(std::string_view text) const {
    if (state_->lowered.empty()) return true;
    if (is_ascii(text)) {
        if (!state_->ascii) return false;
        auto same = [](char a, char b) { return lower(a) == b; };
        return std::search(text.begin(), text.end(), state_->lowered.begin(), state_->lowered.end(), same)
               != text.end();
    }
    return folded(text).indexOf(state_->needle) >= 0;
}

} // namespace tempera
