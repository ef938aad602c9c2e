#include "core/data/row_file.h"

#include "core/data/csv.h"
#include "core/data/json_rows.h"
#include "core/data/parquet.h"

#include <variant>

namespace fs = std::filesystem;

namespace tempera {

namespace {

/// Parquet's rows in the shape that the readers of text have.
class ParquetReader {
public:
    ParquetReader(const fs::path& path, const std::vector<std::string>& columns)
        : name_(path.filename().string()), rows_(load_parquet().open(path, columns)) {}

    std::optional<JsonRow> next_or_problem() {
        std::string problem;
        auto value = rows_->next(problem);
        if (!value) return std::nullopt;
        JsonRow row{std::move(*value), ++number_, name_, ""};
        if (!problem.empty()) row.problem = row.place() + " " + problem + ".";
        return row;
    }
    RowPosition position() const { return {0, number_}; }
    void seek(RowPosition position) {
        rows_->seek(position.number);
        number_ = position.number;
    }
    const ParquetRows& rows() const { return *rows_; }

private:
    std::string name_;
    std::unique_ptr<ParquetRows> rows_;
    std::int64_t number_ = 0;
};

using Reader = std::variant<JsonlReader, JsonReader, CsvReader, ParquetReader>;

Reader open_reader(const fs::path& path, const std::vector<std::string>& columns) {
    auto format = data_format_of(path);
    if (!format)
        fail(ErrorKind::bad_input,
             path.string() + " is no data file: .jsonl, .json, .csv, .tsv or .parquet is expected.");
    switch (*format) {
    case DataFormat::csv:
        return CsvReader(path);
    case DataFormat::parquet:
        return ParquetReader(path, columns);
    case DataFormat::json:
        if (!is_json_lines(path)) return JsonReader(path);
        break;
    case DataFormat::jsonl:
        break;
    }
    return JsonlReader(path);
}

} // namespace

const char* name_of(DataFormat format) {
    switch (format) {
    case DataFormat::jsonl:
        return "JSON lines";
    case DataFormat::json:
        return "JSON";
    case DataFormat::csv:
        return "CSV";
    case DataFormat::parquet:
        return "Parquet";
    }
    return "?";
}

std::optional<DataFormat> data_format_of(const fs::path& path) {
    std::string end = path.extension().string();
    for (char& c : end)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (end == ".jsonl" || end == ".ndjson") return DataFormat::jsonl;
    if (end == ".json") return DataFormat::json;
    if (end == ".csv" || end == ".tsv") return DataFormat::csv;
    if (end == ".parquet") return DataFormat::parquet;
    return std::nullopt;
}

struct RowFile::State {
    Reader reader;
};

RowFile::RowFile(const fs::path& path, const std::vector<std::string>& columns)
    : state_(std::make_unique<State>(State{open_reader(path, columns)})) {}
RowFile::~RowFile() = default;
RowFile::RowFile(RowFile&&) noexcept = default;
RowFile& RowFile::operator=(RowFile&&) noexcept = default;

DataFormat RowFile::format() const {
    return static_cast<DataFormat>(state_->reader.index());
}

std::optional<JsonRow> RowFile::next() {
    return std::visit([](auto& reader) { return reader.next_or_problem(); }, state_->reader);
}

RowPosition RowFile::position() const {
    return std::visit([](const auto& reader) { return reader.position(); }, state_->reader);
}

void RowFile::seek(RowPosition position) {
    std::visit([&](auto& reader) { reader.seek(position); }, state_->reader);
}

std::optional<std::int64_t> RowFile::stated_rows() const {
    if (auto* parquet = std::get_if<ParquetReader>(&state_->reader)) return parquet->rows().row_count();
    return std::nullopt;
}

std::vector<std::string> RowFile::stated_columns() const {
    if (auto* parquet = std::get_if<ParquetReader>(&state_->reader)) return parquet->rows().columns();
    if (auto* csv = std::get_if<CsvReader>(&state_->reader)) return csv->columns();
    return {};
}

} // namespace tempera
