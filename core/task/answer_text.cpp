#include "core/task/answer_text.h"

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/text/char_class.h"
#include "core/text/utf8.h"

#include <algorithm>
#include <unicode/uchar.h>

namespace tempera {

namespace {

bool is_space(char32_t c) {
    return char_classes()(c) & class_space;
}
bool is_letter(char32_t c) {
    return char_classes()(c) & class_letter;
}
bool is_wordly(char32_t c) {
    return char_classes()(c) & (class_letter | class_number);
}
bool is_upper(char32_t c) {
    return u_isupper(static_cast<UChar32>(c));
}
bool is_lower(char32_t c) {
    return u_islower(static_cast<UChar32>(c));
}

/// Calls visit(code point) until it returns true; whether it did.
template <class Visit>
bool any_character(std::string_view text, Visit visit) {
    for (std::size_t at = 0; at < text.size();) {
        const CodePoint c = code_point_at(text, at);
        if (visit(c.value)) return true;
        at = c.end;
    }
    return false;
}

bool has_word(std::string_view text) {
    return any_character(text, is_wordly);
}

/// An apostrophe, whichever of its forms was typed, and double quotes: the plain one.
char32_t without_curl(char32_t c) {
    if (c == 0x2018 || c == 0x2019 || c == 0x02BC || c == 0xFF07) return U'\'';
    return c == 0x201C || c == 0x201D ? U'"' : c;
}

/// Without regard to case and to the form of quotes.
std::string folded(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    any_character(text, [&](char32_t c) {
        append_utf8(result, without_curl(static_cast<char32_t>(
                                u_foldCase(static_cast<UChar32>(c), U_FOLD_CASE_DEFAULT))));
        return false;
    });
    return result;
}

/// A phrase as it is looked for.
std::string plain(std::string_view phrase) {
    const std::string valid = replace_invalid_utf8(phrase);
    return folded(trimmed_answer(valid));
}

bool wordly_at(std::string_view text, std::size_t at) {
    return at < text.size() && is_wordly(code_point_at(text, at).value);
}
bool wordly_before(std::string_view text, std::size_t at) {
    return at > 0 && is_wordly(code_point_at(text, code_point_before(text, at)).value);
}
/// Whether a word goes on across `at`.
bool cuts_a_word(std::string_view text, std::size_t at) {
    return wordly_before(text, at) && wordly_at(text, at);
}

/// Whether the quotation that the first character opens is still open at the last one, which closes it. A
/// straight mark opens one behind a blank, an opening bracket or a mark that opens, else it closes one.
bool is_one_quotation(std::string_view text) {
    std::size_t open = 0;
    char32_t before = U' ';
    for (std::size_t at = 0; at < text.size();) {
        const CodePoint c = code_point_at(text, at);
        const bool straight = c.value == U'"' && before != U'\\';
        const bool may_open = is_space(before) || before == U'(' || before == U'[' || before == 0x2014;
        if (c.value == 0x201C || (straight && may_open && c.end < text.size()))
            ++open;
        else if (c.value == 0x201D || straight)
            open -= open > 0 ? 1 : 0;
        if (open == 0) return c.end == text.size() && at > 0;
        before = c.value;
        at = c.end;
    }
    return false;
}

std::string_view without_indent(std::string_view line) {
    const auto begin = line.find_first_not_of(" \t");
    return begin == std::string_view::npos ? std::string_view() : line.substr(begin);
}

/// Calls visit(word) for every run between white space that holds a letter or a digit.
template <class Visit>
void for_each_word(std::string_view text, Visit visit) {
    std::size_t begin = 0;
    auto end_run = [&](std::size_t end) {
        const auto run = text.substr(begin, end - begin);
        if (has_word(run)) visit(run);
    };
    for (std::size_t at = 0; at < text.size();) {
        const CodePoint c = code_point_at(text, at);
        if (is_space(c.value)) {
            end_run(at);
            begin = c.end;
        }
        at = c.end;
    }
    end_run(text.size());
}

bool ends_a_sentence(char32_t c) {
    return c == '.' || c == '!' || c == '?' || c == 0x2026 || c == 0x3002 || c == 0xFF01 || c == 0xFF1F;
}

bool closes(char32_t c) {
    return c == '"' || c == '\'' || c == ')' || c == ']' || c == '*' || c == 0x201D || c == 0x2019;
}

/// How many texts stand between `open` and `close` on one line, none of them blank.
std::int64_t bracketed(std::string_view line, std::string_view open, std::string_view close) {
    std::int64_t count = 0;
    for (auto begin = line.find(open); begin != std::string_view::npos; begin = line.find(open, begin)) {
        begin += open.size();
        const auto end = line.find(close, begin);
        if (end == std::string_view::npos) break;
        count += has_word(line.substr(begin, end - begin));
        begin = end + close.size();
    }
    return count;
}

/// Texts between runs of asterisks; the opening run has text behind it and the closing one before it.
std::int64_t highlights_of(std::string_view line) {
    std::int64_t count = 0;
    std::size_t open = std::string_view::npos; // where the text of an open one begins
    for (std::size_t at = line.find('*'); at != std::string_view::npos; at = line.find('*', at)) {
        const std::size_t end = std::min(line.find_first_not_of('*', at), line.size());
        const bool blank_before = at == 0 || line[at - 1] == ' ';
        const bool blank_behind = end == line.size() || line[end] == ' ';
        if (open != std::string_view::npos && !blank_before) {
            count += has_word(line.substr(open, at - open));
            open = std::string_view::npos;
        } else if (!blank_behind) {
            open = end;
        }
        at = end;
    }
    return count;
}

/// Without the ``` fence that models put around code.
std::string_view without_fence(std::string_view text) {
    if (!text.starts_with("```") || !text.ends_with("```") || text.size() < 7) return text;
    const auto line = text.find('\n');
    if (line == std::string_view::npos) return text;
    return text.substr(line + 1, text.size() - 3 - (line + 1));
}

} // namespace

std::string_view trimmed_answer(std::string_view text) {
    while (!text.empty()) {
        const CodePoint first = code_point_at(text, 0);
        if (!is_space(first.value)) break;
        text.remove_prefix(first.end);
    }
    while (!text.empty()) {
        const std::size_t last = code_point_before(text, text.size());
        if (!is_space(code_point_at(text, last).value)) break;
        text.remove_suffix(text.size() - last);
    }
    return text;
}

AnswerText::AnswerText(std::string_view text) {
    const std::string valid = replace_invalid_utf8(text);
    text_ = trimmed_answer(valid);
    folded_ = folded(text_);
    std::string_view rest = text_;
    while (!rest.empty()) {
        const auto end = std::min(rest.find('\n'), rest.size());
        lines_.push_back(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
}

std::int64_t AnswerText::words() const {
    std::int64_t count = 0;
    for_each_word(text_, [&](std::string_view) { ++count; });
    return count;
}

std::int64_t AnswerText::sentences() const {
    std::int64_t count = 0;
    for (std::string_view line : lines_) {
        bool open = false, ended = false; // a letter came; behind its last mark
        for (std::size_t at = 0; at < line.size();) {
            const CodePoint c = code_point_at(line, at);
            at = c.end;
            if (is_letter(c.value)) open = true;
            if (ends_a_sentence(c.value))
                ended = true;
            else if (is_space(c.value) && ended && open) {
                ++count;
                open = ended = false;
            } else if (!closes(c.value))
                ended = false;
        }
        count += open;
    }
    return count;
}

std::int64_t AnswerText::paragraphs() const {
    std::int64_t count = 0;
    bool inside = false;
    for (std::string_view line : lines_) {
        if (trimmed_answer(line).empty())
            inside = false;
        else if (!inside && has_word(line)) {
            inside = true;
            ++count;
        }
    }
    return count;
}

std::int64_t AnswerText::bullets() const {
    return std::count_if(lines_.begin(), lines_.end(), [](std::string_view line) {
        line = without_indent(line);
        const bool marked = line.starts_with("- ") || line.starts_with("* ") || line.starts_with("\u2022 ");
        return marked && has_word(line);
    });
}

std::int64_t AnswerText::numbered() const {
    return std::count_if(lines_.begin(), lines_.end(), [](std::string_view line) {
        line = without_indent(line);
        const auto mark = line.find_first_not_of("0123456789");
        if (mark == 0 || mark == std::string_view::npos || (line[mark] != '.' && line[mark] != ')'))
            return false;
        return mark + 1 < line.size() && line[mark + 1] == ' ' && has_word(line.substr(mark + 1));
    });
}

std::int64_t AnswerText::capital_words() const {
    std::int64_t count = 0;
    for_each_word(text_, [&](std::string_view word) {
        int upper = 0;
        const bool other = any_character(word, [&](char32_t c) {
            upper += is_upper(c);
            return is_letter(c) && !is_upper(c);
        });
        count += !other && upper >= 2;
    });
    return count;
}

std::int64_t AnswerText::highlights() const {
    std::int64_t count = 0;
    for (std::string_view line : lines_)
        count += highlights_of(line);
    return count;
}

std::int64_t AnswerText::placeholders() const {
    std::int64_t count = 0;
    for (std::string_view line : lines_)
        count += bracketed(line, "[", "]");
    return count;
}

std::int64_t AnswerText::occurrences(std::string_view phrase) const {
    const std::string wanted = plain(phrase);
    std::int64_t count = 0;
    if (wanted.empty()) return count;
    for (auto at = folded_.find(wanted); at != std::string::npos;) {
        const std::size_t end = at + wanted.size();
        const bool whole = !wordly_before(folded_, at) && !wordly_at(folded_, end);
        count += whole;
        at = folded_.find(wanted, whole ? end : at + 1);
    }
    return count;
}

bool AnswerText::starts_with(std::string_view phrase) const {
    const std::string wanted = plain(phrase);
    return folded_.starts_with(wanted) && !cuts_a_word(folded_, wanted.size());
}

bool AnswerText::ends_with(std::string_view phrase) const {
    const std::string wanted = plain(phrase);
    return folded_.ends_with(wanted) && !cuts_a_word(folded_, folded_.size() - wanted.size());
}

bool AnswerText::has_upper() const {
    return any_character(text_, is_upper);
}

bool AnswerText::has_lower() const {
    return any_character(text_, is_lower);
}

bool AnswerText::is_quotation() const {
    for (auto [open, close] : {std::pair<std::string_view, std::string_view>("\"", "\""),
                               std::pair<std::string_view, std::string_view>("\u201C", "\u201D")})
        if (text_.size() > open.size() + close.size() && text_.starts_with(open) && text_.ends_with(close))
            return is_one_quotation(text_);
    return false;
}

bool AnswerText::has_letter() const {
    return any_character(text_, is_letter);
}

bool AnswerText::has_title() const {
    return std::any_of(lines_.begin(), lines_.end(),
                       [](std::string_view line) { return bracketed(line, "<<", ">>") > 0; });
}

bool AnswerText::has_postscript() const {
    for (std::size_t i = 1; i < lines_.size(); ++i) {
        std::string_view line = without_indent(lines_[i]);
        if (!line.starts_with("P.S.") && !line.starts_with("P. S.")) continue;
        line.remove_prefix(line.starts_with("P.S.") ? 4 : 5);
        const auto before =
            std::string_view(text_).substr(0, static_cast<std::size_t>(lines_[i].data() - text_.data()));
        return has_word(line) && has_word(before);
    }
    return false;
}

bool AnswerText::is_json_object(const std::vector<std::string>& keys) const {
    try {
        const Json value = parse_json(without_fence(text_), "The answer");
        return value.is_object() && std::all_of(keys.begin(), keys.end(), [&](const std::string& key) {
                   return value.contains(key);
               });
    } catch (const Error&) {
        return false;
    }
}

} // namespace tempera
