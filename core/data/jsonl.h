#pragma once

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/data/byte_reader.h"

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tempera {

/// Why a row cannot be used.
enum class RowFault {
    unreadable,  ///< not JSON, not UTF-8, too long, another number of fields than the head line
    missing,     ///< a column that is needed is not there
    wrong_type,  ///< a column holds another thing than it must
    empty,       ///< a text or a list of turns that must not be empty is
    unknown_role ///< a turn of someone else than system, user and assistant
};

/// What is thrown for a row that cannot be used; the sentence names file, row and mostly the column.
class RowError : public Error {
public:
    RowError(RowFault fault, const std::string& sentence)
        : Error(ErrorKind::bad_input, sentence), fault_(fault) {}
    RowFault fault() const { return fault_; }

private:
    RowFault fault_;
};

/// One row of a file: a JSON object, its number (from 1, as editors and spreadsheets show it: blank lines and
/// the head line of a CSV file count) and its file.
struct JsonRow {
    Json value;
    std::int64_t number = 0;
    std::string source;
    std::string problem; ///< why it could not be read, one sentence, and `value` is null; "" = it was

    /// "rows.jsonl row 7"
    std::string place() const { return source + " row " + std::to_string(number); }
    bool has(const std::string& column) const { return value.contains(column); }
    /// The text in the first column of `names` that the row has. Throws Error(bad_input) naming row and
    /// column where it is missing, not text, or empty and `may_be_empty` is false: a RowError, as all that
    /// follow.
    std::string text(std::initializer_list<const char*> names, bool may_be_empty) const;
    /// A whole number within [lowest, highest]. Throws Error(bad_input) naming row and column.
    std::int64_t integer(const char* name, std::int64_t lowest, std::int64_t highest) const;
    /// A list of `fewest` to `most` whole numbers within [lowest, highest]. Throws Error(bad_input) naming
    /// row and column.
    std::vector<std::int64_t> integers(const char* name, std::size_t fewest, std::size_t most,
                                       std::int64_t lowest, std::int64_t highest) const;
};

/// What stands in a row for bytes that are no UTF-8 text (an image): their number alone, {"bytes": 1234}.
Json bytes_value(std::size_t count);
bool is_bytes_value(const Json& value);

/// Where a reader of a text file stands between two rows: what it must know to go on from there.
struct RowPosition {
    std::uint64_t byte = 0;
    std::int64_t number = 0; ///< of the last row before it
};

/// Longest row that is read from a text file, in bytes.
constexpr std::size_t longest_row = 16u << 20;

/// Reads a JSONL file row by row, holding one row at a time. Blank lines, a UTF-8 byte-order mark and "\r\n"
/// are accepted.
class JsonlReader {
public:
    /// Throws Error(not_found, bad_input, io).
    explicit JsonlReader(const std::filesystem::path& path);
    /// nullopt at the end. Throws RowError(unreadable) naming the row: not JSON, not an object, too long. The
    /// next call goes on behind it.
    std::optional<JsonRow> next();
    /// The same, but such a row comes back with its `problem`.
    std::optional<JsonRow> next_or_problem();

    RowPosition position() const { return {bytes_.offset(), number_}; }
    void seek(RowPosition position);

private:
    bool read_line();

    ByteReader bytes_;
    std::string line_;
    bool too_long_ = false;
    std::int64_t number_ = 0;
};

/// A row that is longer than longest_row.
JsonRow row_too_long(std::int64_t number, const std::string& source);
/// A row of a text file whose content is `text`, parsed; with its `problem` where that is no JSON object.
JsonRow parse_row(std::string_view text, std::int64_t number, const std::string& source);

} // namespace tempera
