#pragma once

#include "core/base/json.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tempera {

/// What a column of a Parquet file holds.
struct ParquetType {
    enum class Kind { text, integer, number, boolean, list, record };
    Kind kind = Kind::text;
    std::vector<std::pair<std::string, ParquetType>> members =
        {}; ///< of a record; of a list one, its element
};

/// The rows of one Parquet file (snappy, zstd, gzip, lz4, brotli; dictionaries; nested lists and records), a
/// small batch in memory at a time. One thread at a time.
class ParquetRows {
public:
    virtual ~ParquetRows() = default;
    /// As the file's footer says.
    virtual std::int64_t row_count() const = 0;
    /// Names of the columns, in the file's order.
    virtual const std::vector<std::string>& columns() const = 0;
    /// The next row as a JSON object: times and decimals as text, bytes as text, or as bytes_value() where
    /// they are not UTF-8. nullopt at the end. A row that holds more than longest_row is null, and `problem`
    /// says so ("is longer than ..."). Throws Error(bad_input) where the file is broken or asks for more than
    /// 1 GiB at once.
    virtual std::optional<Json> next(std::string& problem) = 0;
    /// next() then gives row `row`, from 0. Cheap: row groups before it are not read.
    virtual void seek(std::int64_t row) = 0;
};

/// A Parquet file (zstd) that is being written.
class ParquetSink {
public:
    virtual ~ParquetSink() = default;
    /// An object. What it has not, or of another kind than the column's, is stored as null; but a column of
    /// text takes everything else as its JSON.
    virtual void write(const Json& row) = 0;
    /// What was written is whole only after this.
    virtual void close() = 0;
};

/// Takes the bytes of a file that is being written.
using ByteSink = std::function<void(std::string_view bytes)>;

/// The narrow entry of libtempera_arrow, which alone knows Arrow.
class ParquetLibrary {
public:
    virtual ~ParquetLibrary() = default;
    /// `columns`: only these are read, where the file has them; none named = all. Throws Error(not_found,
    /// bad_input, unsupported, io) naming the file.
    virtual std::unique_ptr<ParquetRows> open(const std::filesystem::path& path,
                                              const std::vector<std::string>& columns) = 0;
    /// `columns` is a record. What `out` throws comes through write() and close().
    virtual std::unique_ptr<ParquetSink> create(const ByteSink& out, const ParquetType& columns) = 0;
};

/// Loads libtempera_arrow from beside libtempera_core (20 ms, 18 MB, so only when the first Parquet file is
/// met). Every call after the first returns the same one. Throws Error(not_found) where it cannot be loaded.
ParquetLibrary& load_parquet();

/// The symbol that libtempera_arrow exports.
inline constexpr const char* parquet_entry_symbol = "tempera_parquet_entry";
extern "C" using ParquetEntry = ParquetLibrary * ();

} // namespace tempera
