#pragma once

#include "core/base/stop_token.h"
#include "core/data/columns.h"
#include "core/data/data_files.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tempera {

/// A column as its values in the first rows show it.
struct DataColumn {
    std::string name;
    /// "text", "whole number", "number", "yes/no", "turns", "texts", "numbers", "list", "object", "bytes",
    /// "empty", or "mixed".
    std::string type;
    std::string example; ///< a value, on one line, cut to 200 characters
};

/// A use of the data set that its columns allow.
struct DetectedTask {
    DataTask task;
    ColumnMapping mapping;
};

/// How far reading through a split is, in bytes of its files.
struct DataProgress {
    std::uint64_t done = 0;
    std::uint64_t total = 0;
    std::int64_t rows = 0; ///< so far
};
using OnDataProgress = std::function<void(const DataProgress&)>;

/// A data set that is looked at: what lies at a path, its columns and any of its rows. Opening reads a few
/// rows, however large the files are. Thread-safe: count() may run beside rows(), which it makes faster.
class DataSet {
public:
    /// A file, or a folder with the files of one data set (find_data_splits). Throws Error(not_found,
    /// bad_input, io).
    explicit DataSet(const std::filesystem::path& path);
    ~DataSet();
    DataSet(DataSet&&) noexcept;
    DataSet& operator=(DataSet&&) noexcept;

    const std::filesystem::path& path() const;
    const std::vector<DataSplit>& splits() const;
    /// Of the first file: "Parquet", "JSON lines" ...
    std::string format() const;

    /// Of a split, from its first 100 rows (and what a Parquet or CSV file says itself). Throws as rows().
    std::vector<DataColumn> columns(std::size_t split) const;
    /// The tasks that such columns serve, the likeliest first: preferences, then sft, prompts, countdown.
    static std::vector<DetectedTask> detected(const std::vector<DataColumn>& columns);

    /// How many rows the split has: at once for Parquet; for text after count() has read it through.
    std::optional<std::int64_t> row_count(std::size_t split) const;
    /// Reads the split through where it must; rows that cannot be used count too. Nothing where it was
    /// stopped. Throws Error(bad_input, io), having told how many rows lie before the fault.
    std::optional<std::int64_t> count(std::size_t split, const OnDataProgress& progress,
                                      const StopToken& stop) const;

    /// `count` rows from the one at `offset` on (from 0), fewer at the end and before a fault that the file
    /// cannot be read beyond; with their `problem` where they cannot be used. Quick at any offset once
    /// count() has been there or for Parquet; else what lies before is read through. Throws Error(bad_input,
    /// io) where the first of them cannot be read.
    std::vector<JsonRow> rows(std::size_t split, std::int64_t offset, std::size_t count) const;

    /// Whether a file of the split has another size or time than when it was opened, or is gone; of many
    /// files the first 64 are looked at.
    bool changed(std::size_t split) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace tempera
