#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tempera {

/// What can be measured of an answer; the words are those of core/task/constraints.h. Any bytes are taken
/// (see replace_invalid_utf8), and every function is linear in their number.
class AnswerText {
public:
    explicit AnswerText(std::string_view text);
    AnswerText(const AnswerText&) = delete; // lines_ points into text_
    AnswerText& operator=(const AnswerText&) = delete;

    /// Valid UTF-8, without the white space around it.
    const std::string& text() const { return text_; }

    std::int64_t words() const;
    std::int64_t sentences() const;
    std::int64_t paragraphs() const;
    std::int64_t bullets() const;
    std::int64_t numbered() const;
    std::int64_t capital_words() const;
    std::int64_t highlights() const;
    std::int64_t placeholders() const;
    /// Of a word or phrase, whatever its case, not inside of a longer word, one behind the other.
    std::int64_t occurrences(std::string_view phrase) const;
    /// Without regard to case, and not with a part of a longer word.
    bool starts_with(std::string_view phrase) const;
    bool ends_with(std::string_view phrase) const;
    bool has_letter() const;
    bool has_upper() const;
    bool has_lower() const;
    bool is_quotation() const;
    bool has_title() const;
    bool has_postscript() const;
    bool is_json_object(const std::vector<std::string>& keys) const;

private:
    std::string text_;
    std::string folded_; ///< text_ without regard to case
    std::vector<std::string_view> lines_;
};

/// Without Unicode's white space around it. `text` must be valid UTF-8.
std::string_view trimmed_answer(std::string_view text);

} // namespace tempera
