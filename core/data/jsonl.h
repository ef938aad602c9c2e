#pragma once

#include "core/base/json.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

namespace tempera {

/// One row of a JSONL file: a JSON object, its number (from 1, blank lines counted, as editors show it) and
/// its file.
struct JsonRow {
    Json value;
    std::int64_t number = 0;
    std::string source;

    /// "rows.jsonl row 7"
    std::string place() const { return source + " row " + std::to_string(number); }
    bool has(const std::string& column) const { return value.contains(column); }
    /// The text in the first column of `names` that the row has. Throws Error(bad_input) naming row and
    /// column where it is missing, not text, or empty and `may_be_empty` is false.
    std::string text(std::initializer_list<const char*> names, bool may_be_empty) const;
    /// A whole number within [lowest, highest]. Throws Error(bad_input) naming row and column.
    std::int64_t integer(const char* name, std::int64_t lowest, std::int64_t highest) const;
    /// A list of `fewest` to `most` whole numbers within [lowest, highest]. Throws Error(bad_input) naming
    /// row and column.
    std::vector<std::int64_t> integers(const char* name, std::size_t fewest, std::size_t most,
                                       std::int64_t lowest, std::int64_t highest) const;
};

/// Reads a JSONL file row by row, holding one row at a time. Blank lines, a UTF-8 byte-order mark and "\r\n"
/// are accepted.
class JsonlReader {
public:
    /// Longest row that is read, in bytes.
    static constexpr std::size_t longest_row = 16u << 20;

    /// Throws Error(not_found, bad_input, io).
    explicit JsonlReader(const std::filesystem::path& path);
    /// nullopt at the end. Throws Error(bad_input) naming the row: not JSON, not an object, too long.
    std::optional<JsonRow> next();

private:
    bool read_line();

    std::filesystem::path path_;
    std::ifstream file_;
    std::string line_;
    std::int64_t number_ = 0;
};

} // namespace tempera
