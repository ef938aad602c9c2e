#pragma once

#include "core/data/jsonl.h"

namespace tempera {

/// Reads a CSV file as RFC 4180 has it: a head line with the names of the columns, fields in quotes that may
/// hold delimiters, doubled quotes and line breaks. The delimiter is the one of , ; tab and | that the head
/// line has most of. A UTF-8 byte-order mark, "\r\n", "\r" alone (where the head line ends so) and blank
/// lines are accepted. Every value is text.
class CsvReader {
public:
    /// Throws Error(not_found, bad_input, io): no head line, a name twice, more than 10,000 columns.
    explicit CsvReader(const std::filesystem::path& path);
    /// nullopt at the end. A row that cannot be used (another number of fields than the head line, not UTF-8,
    /// too long, text behind a closing quote) comes back with its `problem`. Throws Error(bad_input) for a
    /// quote that is never closed: what follows it cannot be told apart.
    std::optional<JsonRow> next_or_problem();

    const std::vector<std::string>& columns() const { return columns_; }
    RowPosition position() const { return {bytes_.offset(), number_}; }
    void seek(RowPosition position);

private:
    void read_head();
    bool read_record();
    void read_quoted();
    void add(int c);

    ByteReader bytes_;
    int delimiter_ = ',';
    int line_end_ = '\n';
    std::vector<std::string> columns_;
    std::int64_t number_ = 0;
    std::vector<std::string> fields_; ///< of the record that was read last
    std::size_t record_bytes_ = 0;
    bool text_behind_quote_ = false;
};

} // namespace tempera
