#include "core/text/json_fields.h"

#include "core/base/error.h"
#include "core/text/utf8.h"

#include <algorithm>

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

std::string character_field(const Json& object, const char* key, const std::string& source) {
    std::string value = string_field(object, key, source);
    if (value.empty() || code_point_at(value, 0).end != value.size())
        fail(ErrorKind::bad_input,
             source + ": \"" + key + "\" must be one character, but is " + text_json::quoted(value) + ".");
    return value;
}

MetaspaceScheme metaspace_scheme(const Json& json, const std::string& source) {
    MetaspaceScheme scheme = MetaspaceScheme::always;
    if (find(json, "prepend_scheme", source)) {
        std::string name = string_field(json, "prepend_scheme", source);
        if (name == "first")
            scheme = MetaspaceScheme::first;
        else if (name == "never")
            scheme = MetaspaceScheme::never;
        else if (name != "always")
            fail(ErrorKind::unsupported,
                 source + ": the prepend_scheme " + text_json::quoted(name) + " is not known.");
    }
    if (!bool_field(json, "add_prefix_space", true, source) && scheme != MetaspaceScheme::never)
        fail(ErrorKind::bad_input, source + ": \"add_prefix_space\" contradicts \"prepend_scheme\".");
    return scheme;
}

void fill_trie(ByteTrie& trie, const Vocabulary& vocabulary, const std::string& source) {
    std::size_t bytes = 0;
    for (std::int32_t id = 0; id < vocabulary.id_limit(); ++id)
        bytes += std::min(vocabulary.piece(id).size(), ByteTrie::longest_text);
    trie.reserve(bytes / 3); // tokens share their beginnings; it grows where they do not
    for (std::int32_t id = 0; id < vocabulary.id_limit(); ++id) {
        std::string_view piece = vocabulary.piece(id);
        if (piece.size() > ByteTrie::longest_text)
            fail(ErrorKind::bad_input,
                 source + ": the token " + quoted(piece) + " is longer than 1024 bytes.");
        if (!piece.empty()) trie.insert(piece, id);
    }
}

std::string quoted(std::string_view text) {
    std::size_t length = std::min<std::size_t>(text.size(), 60);
    std::string_view head = text.substr(0, length);
    head.remove_suffix(unfinished_utf8_suffix(head));
    return "\"" + std::string(head) + (head.size() < text.size() ? "...\"" : "\"");
}

} // namespace tempera::text_json
