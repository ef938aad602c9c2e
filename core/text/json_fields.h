#pragma once

#include "core/base/json.h"
#include "core/text/byte_trie.h"
#include "core/text/vocabulary.h"

#include <optional>
#include <string>
#include <string_view>

namespace tempera {

/// Where Metaspace puts its mark: before every part of a text, before the text's beginning, nowhere.
enum class MetaspaceScheme { always, first, never };

} // namespace tempera

namespace tempera::text_json {

// Reading of tokenizer files whose every value may be of the wrong type. `source` names file and part in the
// sentence, e.g. "m/tokenizer.json: model". All throw Error(bad_input).

/// The field's value; a missing field or null gives nullptr.
const Json* find(const Json& object, const char* key, const std::string& source);
const Json& require(const Json& object, const char* key, const std::string& source);

std::string string_field(const Json& object, const char* key, const std::string& source);
bool bool_field(const Json& object, const char* key, const std::string& source);
bool bool_field(const Json& object, const char* key, bool fallback, const std::string& source);
const Json& array_field(const Json& object, const char* key, const std::string& source);

/// The "type" of a component. A component that is no object or has no type is an error.
std::string type_of(const Json& component, const std::string& source);

/// A token id: an integer in 0 .. largest_token_id.
constexpr std::int32_t largest_token_id = (1 << 22) - 1;
std::int32_t token_id(const Json& value, const std::string& source);

/// Refuses an id so far beyond the number of tokens that tables by id would be out of proportion to the file.
void check_density(std::int32_t largest_id, std::size_t tokens, const std::string& source);

/// A string of exactly one character.
std::string character_field(const Json& object, const char* key, const std::string& source);

/// "prepend_scheme" and the older "add_prefix_space" of a Metaspace.
MetaspaceScheme metaspace_scheme(const Json& json, const std::string& source);

/// Every token of `vocabulary` with its id. Refuses a token longer than the trie's longest text.
void fill_trie(ByteTrie& trie, const Vocabulary& vocabulary, const std::string& source);

/// `text` for an error sentence: quoted, at most 60 bytes, cut between characters.
std::string quoted(std::string_view text);

} // namespace tempera::text_json
