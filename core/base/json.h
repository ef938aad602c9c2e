#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace tempera {

using Json = nlohmann::json;

/// Parses `text`; `source` names the file or stream in the error. Refuses nesting deeper than 200 and, as
/// safetensors and recipes both ask, an object with the same key twice. Throws Error(bad_input).
Json parse_json(std::string_view text, const std::string& source);

/// Reads and parses a whole file of at most `max_bytes`. Throws Error(not_found, io, bad_input).
Json read_json_file(const std::filesystem::path& path, std::size_t max_bytes = 256u << 20);

/// One line without insignificant white space; bytes that are not UTF-8 become U+FFFD instead of throwing.
std::string to_json_line(const Json& value);

} // namespace tempera
