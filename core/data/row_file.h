#pragma once

#include "core/data/jsonl.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tempera {

enum class DataFormat { jsonl, json, csv, parquet };
/// "JSON lines", "JSON", "CSV", "Parquet"
const char* name_of(DataFormat format);
/// By the end of the name: .jsonl or .ndjson, .json, .csv or .tsv, .parquet; none for every other one.
std::optional<DataFormat> data_format_of(const std::filesystem::path& path);

/// The rows of one file of any format, one (Parquet: a small batch) in memory at a time. One thread at a
/// time.
class RowFile {
public:
    /// `columns`: what a Parquet file reads, where it has them; none named = all. The other formats read
    /// whole rows. Throws Error(not_found, bad_input, unsupported, io).
    explicit RowFile(const std::filesystem::path& path, const std::vector<std::string>& columns = {});
    ~RowFile();
    RowFile(RowFile&&) noexcept;
    RowFile& operator=(RowFile&&) noexcept;

    DataFormat format() const;
    /// nullopt at the end. A row that cannot be used comes back with its `problem`. Throws Error(bad_input,
    /// io) where the rest of the file cannot be read.
    std::optional<JsonRow> next();

    RowPosition position() const;
    /// A position that this file, or an earlier reader of it, was at. {0, 0} is the beginning.
    void seek(RowPosition position);
    /// How many rows there are, where the file says so itself (Parquet).
    std::optional<std::int64_t> stated_rows() const;
    /// Names of the columns, where the file says them itself (Parquet, CSV).
    std::vector<std::string> stated_columns() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace tempera
