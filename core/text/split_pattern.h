#pragma once

#include "core/base/json.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tempera {

/// Part of a text: either a match of a pattern or what lies between two.
struct TextRange {
    std::size_t begin;
    std::size_t end;
    bool match;
};

/// What a pre-tokenizer splits on. The regexes of GPT-2, Qwen2 and Llama 3 have matchers written by hand
/// (equal to ICU's, which a test compares); any other one is run by ICU, whose matcher needs no call stack,
/// under a limit of time and memory.
class SplitPattern {
public:
    static SplitPattern regex(const std::string& pattern,
                              const std::string& source); ///< Throws Error(bad_input).
    static SplitPattern regex_by_icu(const std::string& pattern, const std::string& source);
    static SplitPattern literal(const std::string& text, const std::string& source);
    static const SplitPattern& gpt2();

    /// True for the hand-written ones: their matches follow each other without gaps.
    bool covers_everything() const { return kind_ == Kind::gpt2 || kind_ == Kind::cl100k; }

    /// End of the match that begins at `position` < text.size(). Only where covers_everything().
    std::size_t match_end(std::string_view text, std::size_t position) const;

    /// All matches from left to right and the parts between them; together they cover `text` (valid UTF-8).
    /// Empty matches, which cut what is around them, are in it. Throws Error(bad_input) where ICU gives up.
    void find_all(std::string_view text, std::vector<TextRange>& out) const;

private:
    enum class Kind { gpt2, cl100k, literal, icu };
    struct Compiled;

    void find_by_icu(std::string_view text, std::vector<TextRange>& out) const;

    Kind kind_ = Kind::gpt2;
    int most_digits_ = 1; ///< of the cl100k family: 1 (Qwen2) or 3 (Llama 3) numbers in one piece
    std::string literal_;
    std::shared_ptr<const Compiled> compiled_;
};

/// The field "pattern" of a component: {"String": ...} or {"Regex": ...}.
SplitPattern pattern_from_json(const Json& component, const std::string& source);

extern const char* const gpt2_pattern;
extern const char* const qwen2_pattern;
extern const char* const llama3_pattern;

} // namespace tempera
