#include "core/data/data_set.h"

#include <algorithm>
#include <map>
#include <mutex>

namespace tempera {

namespace {

constexpr std::size_t rows_looked_at = 100;
constexpr std::size_t longest_example = 200;
/// A place to go on from is kept every so many rows.
constexpr std::int64_t stride = 1024;
/// Rows between two looks at the stop token.
constexpr std::int64_t report_every = 2048;

std::string type_of_list(const Json& list) {
    if (list.empty()) return "list";
    auto all = [&](auto&& fits) { return std::all_of(list.begin(), list.end(), fits); };
    if (all([](const Json& item) { return item.is_string(); })) return "texts";
    if (all([](const Json& item) { return item.is_number(); })) return "numbers";
    if (all([](const Json& item) {
            return item.is_object() && (item.contains("role") || item.contains("from"));
        }))
        return "turns";
    return "list";
}

std::string type_of(const Json& value) {
    if (value.is_string()) return "text";
    if (value.is_number_integer()) return "whole number";
    if (value.is_number()) return "number";
    if (value.is_boolean()) return "yes/no";
    if (value.is_array()) return type_of_list(value);
    if (is_bytes_value(value)) return "bytes";
    return value.is_object() ? "object" : "empty";
}

std::string both(const std::string& a, const std::string& b) {
    if (a == b || b == "empty") return a;
    if (a == "empty") return b;
    auto among = [&](const char* x, const char* y) { return (a == x && b == y) || (a == y && b == x); };
    if (among("number", "whole number")) return "number";
    for (const char* list : {"texts", "numbers", "turns"})
        if (among("list", list)) return list; // an empty list is of every kind
    return "mixed";
}

std::string on_one_line(const Json& value) {
    std::string text = value.is_string() ? value.get<std::string>() : to_json_line(value);
    for (char& c : text)
        if (static_cast<unsigned char>(c) < ' ') c = ' ';
    if (text.size() <= longest_example) return text;
    std::size_t end = longest_example;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
        --end;
    return text.substr(0, end) + "...";
}

/// Where a row of a split begins.
struct Mark {
    std::int64_t row = 0; ///< of the split, from 0
    std::size_t file = 0;
    RowPosition position;
};

/// What a file that is written again does not keep.
struct Stamp {
    std::uintmax_t bytes = 0;
    std::filesystem::file_time_type time;
    friend bool operator==(const Stamp&, const Stamp&) = default;
};

constexpr std::size_t most_stamped = 64; ///< files of a split

std::vector<Stamp> stamps_of(const DataSplit& split) {
    std::vector<Stamp> stamps;
    for (const auto& file : split.files) {
        if (stamps.size() == most_stamped) break;
        std::error_code gone;
        stamps.push_back(
            {std::filesystem::file_size(file, gone), std::filesystem::last_write_time(file, gone)});
    }
    return stamps;
}

/// What is known of a split's rows; guarded by the data set's mutex.
struct Index {
    std::vector<Mark> marks = {{}}; ///< by rising row
    std::optional<std::int64_t> rows;
};

/// Walks a split's rows from a mark on, telling of the marks it passes.
class Walk {
public:
    Walk(const DataSplit& split, Mark from) : split_(split), at_(from) {
        if (at_.file < split_.files.size()) open();
    }

    std::optional<JsonRow> next() {
        while (file_) {
            if (auto row = file_->next()) {
                ++at_.row;
                return row;
            }
            file_.reset();
            if (++at_.file < split_.files.size()) {
                at_.position = {};
                open();
            }
        }
        return std::nullopt;
    }
    /// The place of the row that next() gives.
    Mark mark() const { return {at_.row, at_.file, file_ ? file_->position() : RowPosition{}}; }
    bool ended() const { return !file_; }
    std::int64_t row() const { return at_.row; }
    std::size_t file() const { return at_.file; }
    std::uint64_t byte() const { return file_ ? file_->position().byte : 0; }

private:
    void open() {
        file_.emplace(split_.files[at_.file]);
        file_->seek(at_.position);
    }

    const DataSplit& split_;
    Mark at_;
    std::optional<RowFile> file_;
};

} // namespace

struct DataSet::State {
    std::filesystem::path path;
    std::vector<DataSplit> splits;
    mutable std::mutex mutex;
    mutable std::vector<Index> indices;
    std::vector<std::vector<Stamp>> stamps; ///< by split, of its first files

    const DataSplit& split(std::size_t index) const {
        if (index >= splits.size()) fail(ErrorKind::internal, "There is no such split.");
        return splits[index];
    }
    Mark nearest(std::size_t split, std::int64_t row) const {
        std::lock_guard guard(mutex);
        const auto& marks = indices[split].marks;
        auto behind =
            std::upper_bound(marks.begin(), marks.end(), row,
                             [](std::int64_t wanted, const Mark& mark) { return wanted < mark.row; });
        return *(behind - 1);
    }
    void learn(std::size_t split, const Mark& mark) const {
        std::lock_guard guard(mutex);
        auto& marks = indices[split].marks;
        if (marks.back().row < mark.row) marks.push_back(mark);
    }
    void learn_rows(std::size_t split, std::int64_t rows) const {
        std::lock_guard guard(mutex);
        indices[split].rows = rows;
    }
    bool take_stated_rows(std::size_t index) const;
};

/// Takes the number of rows that Parquet files state, with a mark for every file.
bool DataSet::State::take_stated_rows(std::size_t index) const {
    const DataSplit& files = split(index);
    if (data_format_of(files.files.front()) != DataFormat::parquet) return false;
    std::int64_t rows = 0;
    for (std::size_t file = 0; file < files.files.size(); ++file) {
        learn(index, {rows, file, {}});
        rows += RowFile(files.files[file], {"none of them"}).stated_rows().value_or(0);
    }
    learn_rows(index, rows);
    return true;
}

DataSet::DataSet(const std::filesystem::path& path) : state_(std::make_unique<State>()) {
    state_->path = path;
    state_->splits = find_data_splits(path);
    state_->indices.resize(state_->splits.size());
    for (const DataSplit& split : state_->splits)
        state_->stamps.push_back(stamps_of(split));
}
DataSet::~DataSet() = default;
DataSet::DataSet(DataSet&&) noexcept = default;
DataSet& DataSet::operator=(DataSet&&) noexcept = default;

const std::filesystem::path& DataSet::path() const {
    return state_->path;
}

const std::vector<DataSplit>& DataSet::splits() const {
    return state_->splits;
}

std::string DataSet::format() const {
    return name_of(*data_format_of(state_->splits.front().files.front()));
}

std::vector<DataColumn> DataSet::columns(std::size_t split) const {
    std::vector<DataColumn> columns;
    std::map<std::string, std::size_t> places;
    auto place_of = [&](const std::string& name) {
        auto [entry, added] = places.emplace(name, columns.size());
        if (added) columns.push_back({name, "empty", ""});
        return entry->second;
    };
    for (const auto& name : RowFile(state_->split(split).files.front()).stated_columns())
        place_of(name);
    for (const JsonRow& row : rows(split, 0, rows_looked_at)) {
        if (!row.value.is_object()) continue;
        for (const auto& [name, value] : row.value.items()) {
            DataColumn& column = columns[place_of(name)];
            column.type = both(column.type, type_of(value));
            if (column.example.empty() && !value.is_null()) column.example = on_one_line(value);
        }
    }
    return columns;
}

std::vector<DetectedTask> DataSet::detected(const std::vector<DataColumn>& columns) {
    std::vector<std::string> names;
    for (const auto& column : columns)
        names.push_back(column.name);
    std::vector<DetectedTask> found;
    for (DataTask task : {DataTask::preferences, DataTask::sft, DataTask::prompts, DataTask::countdown})
        if (auto mapping = detect_columns(task, names);
            !mapping.empty() && (task != DataTask::preferences || mapping.column_of.contains("chosen")))
            found.push_back({task, mapping}); // single answers with scores are fine-tuning data first
    return found;
}

std::optional<std::int64_t> DataSet::row_count(std::size_t split) const {
    (void)state_->split(split);
    {
        std::lock_guard guard(state_->mutex);
        if (state_->indices[split].rows) return state_->indices[split].rows;
    }
    if (!state_->take_stated_rows(split)) return std::nullopt;
    std::lock_guard guard(state_->mutex);
    return state_->indices[split].rows;
}

std::optional<std::int64_t> DataSet::count(std::size_t split, const OnDataProgress& progress,
                                           const StopToken& stop) const {
    if (auto known = row_count(split)) return known;
    const DataSplit& files = state_->split(split);
    Walk walk(files, {});
    DataProgress report{0, files.bytes, 0};
    std::uint64_t before = 0; // bytes of the files that were read
    for (std::size_t file = 0;;) {
        if (walk.row() % stride == 0) state_->learn(split, walk.mark());
        try {
            if (!walk.next()) break;
        } catch (const Error&) {
            if (progress) progress({before + walk.byte(), files.bytes, walk.row()});
            throw;
        }
        for (; file < walk.file(); ++file)
            before += std::filesystem::file_size(files.files[file]);
        if (walk.row() % report_every != 0) continue;
        if (stop) return std::nullopt;
        report.done = before + walk.byte();
        report.rows = walk.row();
        if (progress) progress(report);
    }
    state_->learn_rows(split, walk.row());
    if (progress) progress({files.bytes, files.bytes, walk.row()});
    return walk.row();
}

std::vector<JsonRow> DataSet::rows(std::size_t split, std::int64_t offset, std::size_t count) const {
    const DataSplit& files = state_->split(split);
    if (data_format_of(files.files.front()) == DataFormat::parquet) (void)row_count(split);
    Mark from = state_->nearest(split, offset);
    if (data_format_of(files.files[from.file]) == DataFormat::parquet) {
        from.position.number = std::max<std::int64_t>(offset - from.row, 0);
        from.row = std::max(offset, from.row);
    }
    Walk walk(files, from);
    while (walk.row() < offset) {
        if (walk.row() % stride == 0) state_->learn(split, walk.mark());
        if (!walk.next()) return {};
    }
    std::vector<JsonRow> rows;
    try {
        while (rows.size() < count) {
            auto row = walk.next();
            if (!row) break;
            rows.push_back(std::move(*row));
        }
    } catch (const Error&) {
        if (rows.empty()) throw;
    }
    return rows;
}

bool DataSet::changed(std::size_t split) const {
    return stamps_of(state_->split(split)) != state_->stamps[split];
}

} // namespace tempera
