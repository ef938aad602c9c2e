#include "core/base/json.h"

#include "core/base/error.h"
#include "core/base/files.h"

#include <algorithm>
#include <unordered_set>
#include <vector>

namespace tempera {

namespace {

bool holds(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

/// "line 3, column 7: ", counted in characters; in a text of one line only the column.
std::string place_in(std::string_view text, std::size_t at) {
    const std::string_view before = text.substr(0, at);
    const std::size_t line_begin = before.rfind('\n') == before.npos ? 0 : before.rfind('\n') + 1;
    const auto starts_character = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; };
    const auto column = std::ranges::count_if(before.substr(line_begin), starts_character) + 1;
    std::string place = "column " + std::to_string(column) + ": ";
    if (!holds(text, "\n")) return place;
    return "line " + std::to_string(std::ranges::count(before, '\n') + 1) + ", " + place;
}

/// The word or sign that stands at `at`, in quotes.
std::string word_at(std::string_view text, std::size_t at) {
    if (text[at] == '"') return "a quote";
    const auto in_word = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'
               || c == '.' || c == '+' || c == '-' || static_cast<unsigned char>(c) >= 0x80;
    };
    std::size_t end = at;
    while (end < text.size() && end - at < 30 && in_word(text[end]))
        ++end;
    return "\"" + std::string(text.substr(at, std::max<std::size_t>(end - at, 1))) + "\"";
}

/// What is wrong, from the library's message (nlohmann-json 3.11, lexer and parser), which ends with the
/// reason and begins with its own names. `at` is the byte where it stopped.
std::string json_reason(std::string_view message, std::string_view text, std::size_t at) {
    if (holds(message, "UTF-8")) return "a text is not valid UTF-8";
    if (holds(message, "missing closing quote")) return "a text has no closing quote";
    if (holds(message, "control character"))
        return "a text holds a line break or control character; write it as \\n or \\u0000";
    if (holds(message, "surrogate") || holds(message, "'\\u'"))
        return "\\u must be followed by four hexadecimal digits that make a character";
    if (holds(message, "after backslash")) return "a backslash stands before a character that needs none";
    if (holds(message, "invalid number")) return "a number is not written as JSON has it";
    if (at >= text.size()) return "the text ends before the JSON does";
    std::string found = word_at(text, at);
    if (holds(message, "expected end of input")) return "there is " + found + " behind the end of the JSON";
    if (holds(message, "object key")) return "a name in double quotes is expected, but there is " + found;
    if (holds(message, "object separator")) return "a colon is expected, but there is " + found;
    if (holds(message, "parsing object")) return "a comma or } is expected, but there is " + found;
    if (holds(message, "parsing array")) return "a comma or ] is expected, but there is " + found;
    return "a value is expected, but there is " + found;
}

/// Where the token begins that ends at byte `end`, as the library counts in `message`.
std::size_t token_begin(std::string_view message, std::string_view text, std::size_t end) {
    const auto is_word = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    std::size_t at = std::min(end > 0 ? end - 1 : 0, text.size());
    if (holds(message, "unexpected string literal")) { // from its closing quote to its opening one
        while (at > 1 && (text[at - 1] != '"' || text[at - 2] == '\\'))
            --at;
        return at > 0 ? at - 1 : 0;
    }
    // a half literal ends before the character that is no part of it
    if (holds(message, "invalid literal") && at > 0 && is_word(text[at - 1])) --at;
    while (at > 0 && at < text.size() && is_word(text[at]) && is_word(text[at - 1]))
        --at;
    return at;
}

[[noreturn]] void fail_json(const Json::exception& error, std::string_view text, const std::string& source) {
    const std::string_view message = error.what();
    const auto* parse = dynamic_cast<const Json::parse_error*>(&error);
    if (!parse) // the one other error of a parser: a number beyond what a double holds
        fail(ErrorKind::bad_input, source + " holds a number that is too large.");
    const std::size_t at = token_begin(message, text, parse->byte);
    fail(ErrorKind::bad_input,
         source + " is not valid JSON: " + place_in(text, at) + json_reason(message, text, at) + ".");
}

} // namespace

Json parse_json(std::string_view text, const std::string& source) {
    constexpr int max_depth = 200;
    // The library takes a NUL byte for the end of the text and would ignore what follows.
    if (text.find('\0') != std::string_view::npos)
        fail(ErrorKind::bad_input, source + " is not valid JSON: it has a NUL byte.");
    std::vector<std::unordered_set<std::string>> keys;
    auto check = [&](int depth, Json::parse_event_t event, Json& value) {
        if (depth > max_depth) fail(ErrorKind::bad_input, source + " is nested deeper than 200 levels.");
        if (event == Json::parse_event_t::object_start) keys.emplace_back();
        if (event == Json::parse_event_t::object_end) keys.pop_back();
        if (event == Json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second)
            fail(ErrorKind::bad_input, source + " has the key \"" + value.get<std::string>() + "\" twice.");
        return true;
    };
    try {
        return Json::parse(text.begin(), text.end(), check);
    } catch (const Json::exception& error) {
        fail_json(error, text, source);
    }
}

Json read_json_file(const std::filesystem::path& path, std::size_t max_bytes) {
    return parse_json(read_file(path, max_bytes), path.string());
}

std::string to_json_line(const Json& value) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace tempera
