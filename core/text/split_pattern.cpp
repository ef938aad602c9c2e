#include "core/text/split_pattern.h"

#include "core/base/error.h"
#include "core/text/char_class.h"
#include "core/text/json_fields.h"
#include "core/text/utf8.h"

#include <chrono>
#include <cstdio>
#include <unicode/regex.h>
#include <unicode/utext.h>

namespace tempera {

const char* const gpt2_pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
const char* const qwen2_pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
const char* const llama3_pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

namespace {

constexpr std::uint16_t class_other_mask =
    class_letter | class_number | class_space; // none of them: [^\s\p{L}\p{N}]

/// A text with the classes of its characters: position in, classes and next position out.
class Reader {
public:
    explicit Reader(std::string_view text) : text_(text) {}

    struct Char {
        char32_t value;
        std::uint16_t classes;
        std::size_t end;
    };
    bool at_end(std::size_t position) const { return position >= text_.size(); }
    Char at(std::size_t position) const {
        CodePoint c = code_point_at(text_, position);
        return {c.value, classes_(c.value), c.end};
    }
    /// End of the run of characters that have one of the classes in `mask`, or with `inverted` none of them.
    std::size_t skip(std::size_t position, std::uint16_t mask, bool inverted = false) const {
        while (!at_end(position)) {
            Char c = at(position);
            if (((c.classes & mask) != 0) == inverted) break;
            position = c.end;
        }
        return position;
    }
    unsigned char byte(std::size_t position) const {
        return position < text_.size() ? static_cast<unsigned char>(text_[position]) : 0;
    }

private:
    std::string_view text_;
    const CharClassTable& classes_ = char_classes();
};

/// End of 's 't 're 've 'm 'll 'd at `position`, which holds the apostrophe; `position` itself where there is
/// none. Without case also 'ſ (U+017F), which folds to s.
std::size_t contraction_end(const Reader& reader, std::size_t position, bool any_case) {
    auto letter = [&](std::size_t i) -> unsigned char {
        unsigned char c = reader.byte(position + i);
        return any_case && c >= 'A' && c <= 'Z' ? static_cast<unsigned char>(c + 32) : c;
    };
    unsigned char first = letter(1), second = letter(2);
    if (first == 's' || first == 't' || first == 'm' || first == 'd') return position + 2;
    if ((first == 'r' && second == 'e') || (first == 'v' && second == 'e') || (first == 'l' && second == 'l'))
        return position + 3;
    if (any_case && first == 0xC5 && second == 0xBF) return position + 3;
    return position;
}

/// `\s+(?!\S)|\s+`: the run of white space up to `end`, without its last character where something follows
/// and more is left.
std::size_t white_space_end(const Reader& reader, std::string_view text, std::size_t begin, std::size_t end) {
    if (reader.at_end(end)) return end;
    std::size_t last = code_point_before(text, end);
    return last > begin ? last : end;
}

std::size_t gpt2_match_end(std::string_view text, std::size_t position) {
    Reader reader(text);
    Reader::Char first = reader.at(position);
    if (first.value == '\'') {
        std::size_t end = contraction_end(reader, position, false);
        if (end > position) return end;
    }
    Reader::Char start = first;
    if (first.value == ' ' && !reader.at_end(first.end)) start = reader.at(first.end);
    if (start.classes & class_letter) return reader.skip(start.end, class_letter);
    if (start.classes & class_number) return reader.skip(start.end, class_number);
    if (!(start.classes & class_other_mask)) return reader.skip(start.end, class_other_mask, true);
    return white_space_end(reader, text, position, reader.skip(position, class_space));
}

std::size_t skip_line_ends(const Reader& reader, std::size_t position) {
    while (reader.byte(position) == '\r' || reader.byte(position) == '\n')
        ++position;
    return position;
}

std::size_t cl100k_match_end(std::string_view text, std::size_t position, int most_digits) {
    Reader reader(text);
    Reader::Char first = reader.at(position);
    if (first.classes & class_letter) return reader.skip(first.end, class_letter);
    if (first.classes & class_number) {
        std::size_t end = first.end;
        for (int digits = 1; digits < most_digits && !reader.at_end(end); ++digits) {
            Reader::Char next = reader.at(end);
            if (!(next.classes & class_number)) break;
            end = next.end;
        }
        return end;
    }
    if (first.value == '\'') {
        std::size_t end = contraction_end(reader, position, true);
        if (end > position) return end;
    }
    if (first.value != '\r' && first.value != '\n' && !reader.at_end(first.end)) {
        Reader::Char next = reader.at(first.end);
        if (next.classes & class_letter) return reader.skip(next.end, class_letter);
        if (first.value == ' ' && !(next.classes & class_other_mask)) first = next;
    }
    if (!(first.classes & class_other_mask))
        return skip_line_ends(reader, reader.skip(first.end, class_other_mask, true));
    std::size_t end = reader.skip(position, class_space);
    std::size_t line_end = text.substr(position, end - position).find_last_of("\r\n");
    if (line_end != std::string_view::npos) return position + line_end + 1; // \s*[\r\n]+
    return white_space_end(reader, text, position, end);
}

[[noreturn]] void fail_regex(const std::string& source, const std::string& pattern, UErrorCode status) {
    fail(ErrorKind::bad_input, source + ": the regular expression " + text_json::quoted(pattern)
                                   + " cannot be used: " + u_errorName(status) + ".");
}

constexpr std::size_t most_pattern_bytes = 20'000, most_translated_bytes = 1u << 20;

/// The inside of an ICU set with the code points of a class: Oniguruma's, where ICU's own follows another
/// Unicode version.
std::string set_of(std::uint16_t classes) {
    std::string out;
    auto put = [&](char32_t c) {
        char text[16];
        std::snprintf(text, sizeof text, "\\x{%X}", static_cast<unsigned>(c));
        out += text;
    };
    const CharClassTable& table = char_classes();
    for (char32_t c = 0; c <= 0x10FFFF; ++c) {
        if (!(table(c) & classes)) continue;
        char32_t last = c;
        while (last < 0x10FFFF && (table(last + 1) & classes))
            ++last;
        put(c);
        if (last > c) {
            out += '-';
            put(last);
        }
        c = last;
    }
    return out;
}

/// The set an escape (`escape` behind a backslash, {L} or {N} behind a p) stands for in Oniguruma, where ICU
/// would read it otherwise or by another Unicode version; empty where both agree.
std::string escape_set(char escape, std::string_view behind) {
    // \w: the zero-width joiners are Rust's alone, the superscripts and fractions of Latin-1 Oniguruma's.
    static const std::string word =
        set_of(class_word) + R"(\x{B2}\x{B3}\x{B9}\x{BC}-\x{BE}--[\x{200C}\x{200D}])";
    char lower = static_cast<char>(escape | 0x20);
    if (lower == 'w' || lower == 'b') return word;
    if (lower == 'h') return "0-9a-fA-F";
    if (lower == 'p' && behind.starts_with("{L}")) return set_of(class_letter);
    if (lower == 'p' && behind.starts_with("{N}")) return set_of(class_number);
    return "";
}

/// A pattern in Oniguruma's Ruby syntax, which tokenizers compiles, in ICU's.
std::string to_icu_syntax(std::string_view pattern) {
    std::string out;
    int depth = 0; // of brackets
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        char c = pattern[i];
        if (c == '[') ++depth;
        if (c == ']' && depth > 0) --depth;
        if (c == '^' && depth == 0) {
            out += R"((?:\A|^(?!\z)))"; // Oniguruma's finds no line behind the last line end
            continue;
        }
        if (c != '\\' || i + 1 == pattern.size()) {
            out += c;
            continue;
        }
        char escape = pattern[++i];
        std::string set = escape_set(escape, pattern.substr(i + 1));
        if (set.empty() || (depth > 0 && (escape == 'b' || escape == 'B'))) {
            out += {'\\', escape};
            continue;
        }
        std::string is = "[" + set + "]";
        if (escape == 'p' || escape == 'P') i += 3;
        if (escape == 'b')
            out += "(?:(?<=" + is + ")(?!" + is + ")|(?<!" + is + ")(?=" + is + "))";
        else if (escape == 'B')
            out += "(?:(?<=" + is + ")(?=" + is + ")|(?<!" + is + ")(?!" + is + "))";
        else
            out += escape >= 'a' ? is : "[^" + set + "]";
    }
    return out;
}

} // namespace

struct SplitPattern::Compiled {
    std::unique_ptr<icu::RegexPattern> regex;
    std::string pattern;
    std::string source;
};

SplitPattern SplitPattern::regex(const std::string& pattern, const std::string& source) {
    SplitPattern result;
    if (pattern == gpt2_pattern) return result;
    if (pattern != qwen2_pattern && pattern != llama3_pattern) return regex_by_icu(pattern, source);
    result.kind_ = Kind::cl100k;
    result.most_digits_ = pattern == qwen2_pattern ? 1 : 3;
    return result;
}

SplitPattern SplitPattern::regex_by_icu(const std::string& pattern, const std::string& source) {
    SplitPattern result;
    result.kind_ = Kind::icu;
    std::string translated = to_icu_syntax(std::string_view(pattern).substr(0, most_pattern_bytes));
    if (pattern.size() > most_pattern_bytes || translated.size() > most_translated_bytes)
        fail(ErrorKind::bad_input,
             source + ": the regular expression " + text_json::quoted(pattern) + " is too long.");
    auto compiled = std::make_shared<Compiled>();
    compiled->pattern = pattern;
    compiled->source = source;
    UErrorCode status = U_ZERO_ERROR;
    UParseError where;
    // tokenizers compiles with Oniguruma's Ruby syntax: ^ and $ at every line, only \n ends one.
    compiled->regex.reset(icu::RegexPattern::compile(icu::UnicodeString::fromUTF8(translated),
                                                     UREGEX_MULTILINE | UREGEX_UNIX_LINES, where, status));
    if (U_FAILURE(status)) fail_regex(source, pattern, status);
    result.compiled_ = std::move(compiled);
    return result;
}

SplitPattern SplitPattern::literal(const std::string& text, const std::string& source) {
    if (text.empty()) fail(ErrorKind::bad_input, source + ": the text to split on is empty.");
    SplitPattern result;
    result.kind_ = Kind::literal;
    result.literal_ = text;
    return result;
}

SplitPattern pattern_from_json(const Json& component, const std::string& source) {
    const Json& pattern = text_json::require(component, "pattern", source);
    if (text_json::find(pattern, "Regex", source))
        return SplitPattern::regex(text_json::string_field(pattern, "Regex", source), source);
    return SplitPattern::literal(text_json::string_field(pattern, "String", source), source);
}

const SplitPattern& SplitPattern::gpt2() {
    static const SplitPattern pattern;
    return pattern;
}

std::size_t SplitPattern::match_end(std::string_view text, std::size_t position) const {
    return kind_ == Kind::gpt2 ? gpt2_match_end(text, position)
                               : cl100k_match_end(text, position, most_digits_);
}

void SplitPattern::find_all(std::string_view text, std::vector<TextRange>& out) const {
    out.clear();
    if (text.empty()) return; // tokenizers finds nothing there, not even an empty match
    if (kind_ == Kind::icu) return find_by_icu(text, out);
    std::size_t position = 0;
    while (position < text.size()) {
        std::size_t begin = position, end;
        if (kind_ == Kind::literal) {
            begin = std::min(text.find(literal_, position), text.size());
            end = std::min(begin + literal_.size(), text.size());
            if (begin > position) out.push_back({position, begin, false});
        } else {
            end = match_end(text, position);
        }
        if (end > begin) out.push_back({begin, end, true});
        position = end;
    }
}

void SplitPattern::find_by_icu(std::string_view text, std::vector<TextRange>& out) const {
    UErrorCode status = U_ZERO_ERROR;
    std::unique_ptr<icu::RegexMatcher> matcher(compiled_->regex->matcher(status));
    UText* input = utext_openUTF8(nullptr, text.data(), static_cast<int64_t>(text.size()), &status);
    if (U_FAILURE(status)) fail_regex(compiled_->source, compiled_->pattern, status);
    std::unique_ptr<UText, decltype(&utext_close)> guard(input, utext_close);
    matcher->reset(input);
    matcher->setTimeLimit(1000, status); // about a second for one match; for all of them together:
    auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10 + text.size() / 1'000'000);
    std::size_t from = 0, last_match_end = std::string_view::npos, covered = 0;
    while (from <= text.size() && matcher->find(static_cast<int64_t>(from), status)) {
        auto begin = static_cast<std::size_t>(matcher->start64(status));
        auto end = static_cast<std::size_t>(matcher->end64(status));
        if (begin == end
            && end == last_match_end) { // as onig's find_iter: no empty match right after a match
            from = from < text.size() ? code_point_at(text, from).end : from + 1;
            continue;
        }
        if (out.size() % 256 == 0 && std::chrono::steady_clock::now() > deadline) status = U_REGEX_TIME_OUT;
        from = last_match_end = end;
        if (begin > covered) out.push_back({covered, begin, false});
        out.push_back({begin, end, true});
        covered = end;
    }
    if (U_FAILURE(status)) fail_regex(compiled_->source, compiled_->pattern, status);
    if (covered < text.size()) out.push_back({covered, text.size(), false});
}

} // namespace tempera
