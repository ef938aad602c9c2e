#include "core/base/error.h"
#include "core/recipe/binding.h"

#include <charconv>
#include <cmath>

namespace tempera {

namespace {

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blank = " \t\r\n";
    auto begin = text.find_first_not_of(blank);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(blank) - begin + 1);
}

[[noreturn]] void refuse(const Field& field, const std::string& what, std::string_view text) {
    fail(ErrorKind::bad_input,
         field.name + " must be " + what + ", but is " + to_json_line(std::string(text.substr(0, 60))) + ".");
}

double parse_real(const Field& field, std::string_view text, const std::string& what) {
    std::string_view body = trimmed(text);
    if (body.starts_with('+')) body.remove_prefix(1);
    double number = 0;
    auto [end, error] = std::from_chars(body.data(), body.data() + body.size(), number);
    if (error != std::errc() || end != body.data() + body.size() || !std::isfinite(number))
        refuse(field, what, text);
    return number;
}

Json parse_integer(const Field& field, std::string_view text) {
    double number = parse_real(field, text, "a whole number");
    if (number != std::floor(number) || std::abs(number) > 9007199254740992.0)
        refuse(field, "a whole number", text);
    return static_cast<std::int64_t>(number);
}

Json parse_boolean(const Field& field, std::string_view text) {
    std::string_view body = trimmed(text);
    for (std::string_view word : {"true", "yes", "on", "1"})
        if (body == word) return true;
    for (std::string_view word : {"false", "no", "off", "0"})
        if (body == word) return false;
    refuse(field, "true or false", text);
}

Json parse_real_list(const Field& field, std::string_view text) {
    Json list = Json::array();
    while (!trimmed(text).empty()) {
        auto comma = text.find(',');
        list.push_back(parse_real(field, text.substr(0, comma), "a list of numbers separated by commas"));
        if (comma == std::string_view::npos) break;
        text.remove_prefix(comma + 1);
    }
    return list;
}

/// Separated by commas; \n \t \\ and \, stand for a new line, a tab, a backslash and a comma.
Json parse_text_list(std::string_view text) {
    Json list = Json::array();
    if (text.empty()) return list;
    std::string entry;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == ',') {
            list.push_back(std::exchange(entry, {}));
        } else if (text[i] == '\\' && i + 1 < text.size()) {
            char next = text[++i];
            if (next == 'n')
                entry += '\n';
            else if (next == 't')
                entry += '\t';
            else if (next == '\\' || next == ',')
                entry += next;
            else
                entry += {'\\', next};
        } else {
            entry += text[i];
        }
    }
    list.push_back(entry);
    return list;
}

Json parse_by_type(const Field& field, const std::string& text) {
    bool is_list = field.type == Field::Type::real_list || field.type == Field::Type::text_list;
    if (is_list && trimmed(text).starts_with('[')) return parse_json(text, "The value of " + field.name);
    switch (field.type) {
    case Field::Type::boolean:
        return parse_boolean(field, text);
    case Field::Type::integer:
        return parse_integer(field, text);
    case Field::Type::real:
        return parse_real(field, text, "a number");
    case Field::Type::real_list:
        return parse_real_list(field, text);
    case Field::Type::text_list:
        return parse_text_list(text);
    case Field::Type::text:
        return text;
    case Field::Type::choice:
    case Field::Type::model:
    case Field::Type::data_file:
        return std::string(trimmed(text));
    }
    fail(ErrorKind::internal, "parse_field_value met an unknown type.");
}

} // namespace

Json parse_field_value(const Field& field, const std::string& text) {
    Json value = parse_by_type(field, text);
    if (auto sentence = check_value(field, value); !sentence.empty()) fail(ErrorKind::bad_input, sentence);
    return value;
}

} // namespace tempera
