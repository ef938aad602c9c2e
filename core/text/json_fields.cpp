#include "core/text/json_fields.h"

#include "core/base/error.h"
#include "core/text/utf8.h"

namespace tempera::text_json {

namespace {

void require_object(const Json& value, const std::string& source) {
    if (!value.is_object())
        fail(ErrorKind::bad_input, source + " must be an object, but is " + value.type_name() + ".");
}

[[noreturn]] void wrong_type(const Json& value, const char* key, const char* wanted,
                             const std::string& source) {
    fail(ErrorKind::bad_input,
         source + ": \"" + key + "\" must be " + wanted + ", but is " + value.type_name() + ".");
}

} // namespace

const Json* find(const Json& object, const char* key, const std::string& source) {
    require_object(object, source);
    auto found = object.find(key);
    return found == object.end() || found->is_null() ? nullptr : &*found;
}

const Json& require(const Json& object, const char* key, const std::string& source) {
    const Json* found = find(object, key, source);
    if (!found) fail(ErrorKind::bad_input, source + " lacks the field \"" + key + "\".");
    return *found;
}

std::string string_field(const Json& object, const char* key, const std::string& source) {
    const Json& value = require(object, key, source);
    if (!value.is_string()) wrong_type(value, key, "a string", source);
    return value.get<std::string>();
}

bool bool_field(const Json& object, const char* key, const std::string& source) {
    const Json& value = require(object, key, source);
    if (!value.is_boolean()) wrong_type(value, key, "true or false", source);
    return value.get<bool>();
}

bool bool_field(const Json& object, const char* key, bool fallback, const std::string& source) {
    return find(object, key, source) ? bool_field(object, key, source) : fallback;
}

const Json& array_field(const Json& object, const char* key, const std::string& source) {
    const Json& value = require(object, key, source);
    if (!value.is_array()) wrong_type(value, key, "a list", source);
    return value;
}

std::string type_of(const Json& component, const std::string& source) {
    return string_field(component, "type", source);
}

std::int32_t token_id(const Json& value, const std::string& source) {
    if (!value.is_number_integer())
        fail(ErrorKind::bad_input,
             source + ": a token id must be a whole number, but is " + value.dump() + ".");
    bool in_range = value.is_number_unsigned() ? value.get<std::uint64_t>() <= largest_token_id
                                               : value.get<std::int64_t>() >= 0;
    if (!in_range)
        fail(ErrorKind::bad_input, source + ": the token id " + value.dump() + " is outside 0 to "
                                       + std::to_string(largest_token_id) + ".");
    return value.get<std::int32_t>();
}

void check_density(std::int32_t largest_id, std::size_t tokens, const std::string& source) {
    if (largest_id >= 0 && static_cast<std::size_t>(largest_id) > 16 * tokens + 65536)
        fail(ErrorKind::bad_input, source + ": the token id " + std::to_string(largest_id)
                                       + " is far beyond the " + std::to_string(tokens)
                                       + " tokens there are.");
}

std::string quoted(std::string_view text) {
    std::size_t length = std::min<std::size_t>(text.size(), 60);
    std::string_view head = text.substr(0, length);
    head.remove_suffix(unfinished_utf8_suffix(head));
    return "\"" + std::string(head) + (head.size() < text.size() ? "...\"" : "\"");
}

} // namespace tempera::text_json
