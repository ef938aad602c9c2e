#include "core/arrow/rows.h"

#include "core/arrow/arrow_error.h"
#include "core/arrow/json_of.h"
#include "core/base/files.h"
#include "core/data/jsonl.h"

#include <algorithm>
#include <arrow/io/file.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <cerrno>
#include <cstring>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>
#include <parquet/properties.h>
#include <parquet/schema.h>
#include <set>

namespace fs = std::filesystem;

namespace tempera {

namespace {

/// What one open file may hold of decoded pages and batches.
constexpr std::int64_t most_memory = std::int64_t{1} << 30;
/// Reading a footer takes up to 200 times its size.
constexpr std::uint32_t longest_footer = 16u << 20;
constexpr std::int32_t most_footer_items = 100000;
constexpr std::int32_t deepest_schema = 64;
constexpr std::int64_t rows_at_once = 128;
constexpr std::int64_t read_ahead = 1 << 20;

/// Refuses what has no footer of a sane size, before Arrow sees it.
void check_ends(arrow::io::RandomAccessFile& file, const std::string& name) {
    constexpr std::int64_t shortest = 12;
    auto size = taken(file.GetSize(), name);
    std::uint8_t end[8] = {}, begin[4] = {};
    if (size >= shortest) {
        taken(file.ReadAt(0, sizeof begin, begin), name);
        taken(file.ReadAt(size - 8, sizeof end, end), name);
    }
    if (std::memcmp(begin, "PARE", 4) == 0 || std::memcmp(end + 4, "PARE", 4) == 0)
        fail(ErrorKind::unsupported, name + " is an encrypted Parquet file: write it without encryption.");
    if (std::memcmp(begin, "PAR1", 4) != 0)
        fail(ErrorKind::bad_input, name + " is no Parquet file: it does not begin with PAR1.");
    if (std::memcmp(end + 4, "PAR1", 4) != 0)
        fail(ErrorKind::bad_input,
             name + " is not a whole Parquet file: its end is missing. Download or write it again.");
    std::uint32_t length = end[0] | (end[1] << 8u) | (end[2] << 16u) | (std::uint32_t{end[3]} << 24u);
    if (length > longest_footer || static_cast<std::int64_t>(length) + shortest > size)
        fail(ErrorKind::bad_input,
             name + " is a broken Parquet file: its footer claims " + std::to_string(length) + " bytes.");
}

class Rows final : public ParquetRows {
public:
    Rows(const fs::path& path, const std::vector<std::string>& wanted)
        : name_(path.filename().string()), proxy_(arrow::system_memory_pool()), pool_(&proxy_, most_memory) {
        open(path);
        choose_columns(wanted);
        for (int group = 0; group < reader_->num_row_groups(); ++group) {
            auto rows = reader_->parquet_reader()->metadata()->RowGroup(group)->num_rows();
            if (rows < 0 || total_ > INT64_MAX - rows) refuse("it claims a row group of impossible size");
            total_ += rows;
            group_ends_.push_back(total_);
        }
    }

    std::int64_t row_count() const override { return total_; }
    const std::vector<std::string>& columns() const override { return columns_; }

    std::optional<Json> next(std::string& problem) override {
        return guard_arrow(name_, [&]() -> std::optional<Json> {
            while (!batch_ || at_ >= batch_->num_rows())
                if (!next_batch()) return std::nullopt;
            return row(at_++, problem);
        });
    }

    void seek(std::int64_t row) override {
        group_ = static_cast<int>(std::upper_bound(group_ends_.begin(), group_ends_.end(), row)
                                  - group_ends_.begin());
        skip_ = row - (group_ > 0 ? group_ends_[static_cast<std::size_t>(group_) - 1] : 0);
        batches_.reset();
        batch_.reset();
    }

private:
    [[noreturn]] void refuse(const std::string& reason) { fail_arrow(arrow::Status::Invalid(reason), name_); }

    void open(const fs::path& path) {
        std::error_code error;
        if (!fs::exists(path, error)) fail(ErrorKind::not_found, "There is no file " + path.string() + ".");
        if (fs::is_directory(path, error))
            fail(ErrorKind::bad_input, path.string() + " is a folder; a file is expected.");
        auto file = taken(arrow::io::ReadableFile::Open(path.string(), &pool_), name_);
        check_ends(*file, name_);
        parquet::ReaderProperties reading(&pool_);
        reading.enable_buffered_stream();
        reading.set_buffer_size(read_ahead);
        reading.set_thrift_container_size_limit(most_footer_items);
        reading.set_thrift_string_size_limit(static_cast<std::int32_t>(longest_footer));
        reading.set_schema_depth_limit(deepest_schema);
        parquet::ArrowReaderProperties making(/*use_threads=*/false);
        making.set_batch_size(rows_at_once);
        making.set_pre_buffer(false);
        parquet::arrow::FileReaderBuilder builder;
        check_arrow(builder.Open(file, reading), name_);
        builder.memory_pool(&pool_);
        builder.properties(making);
        reader_ = taken(builder.Build(), name_);
    }

    /// A record has no two members of one name, or one of them would be lost.
    void require_unique(const parquet::schema::GroupNode& group) {
        std::set<std::string> names;
        for (int i = 0; i < group.field_count(); ++i) {
            const auto& field = *group.field(i);
            if (!names.insert(field.name()).second)
                fail(ErrorKind::bad_input, name_ + " has the column "
                                               + to_json_line(field.name().substr(0, 80))
                                               + " twice: rename one.");
            if (field.is_group()) require_unique(static_cast<const parquet::schema::GroupNode&>(field));
        }
    }

    void choose_columns(const std::vector<std::string>& wanted) {
        const auto& schema = *reader_->parquet_reader()->metadata()->schema();
        require_unique(*schema.group_node());
        for (int leaf = 0; leaf < schema.num_columns(); ++leaf) {
            const std::string& root = schema.GetColumnRoot(leaf)->name();
            if (columns_.empty() || columns_.back() != root) columns_.push_back(root);
            if (wanted.empty() || std::find(wanted.begin(), wanted.end(), root) != wanted.end())
                leaves_.push_back(leaf);
        }
        if (columns_.empty()) refuse("it has no columns");
        if (leaves_.empty()) leaves_.push_back(0); // rows without a column could not be counted
    }

    bool next_batch() {
        for (;;) {
            if (!batches_) {
                if (group_ >= static_cast<int>(group_ends_.size())) return false;
                batches_ = taken(reader_->GetRecordBatchReader(std::vector<int>{group_}, leaves_), name_);
            }
            check_arrow(batches_->ReadNext(&batch_), name_);
            if (!batch_) {
                batches_.reset();
                skip_ = 0;
                ++group_;
                continue;
            }
            check_arrow(batch_->Validate(), name_);
            at_ = std::min(skip_, batch_->num_rows());
            skip_ -= at_;
            return true;
        }
    }

    Json row(std::int64_t index, std::string& problem) {
        problem.clear();
        maker_.begin_row();
        try {
            Json value = Json::object();
            for (int i = 0; i < batch_->num_columns(); ++i)
                value[batch_->schema()->field(i)->name()] = maker_.cell(*batch_->column(i), index);
            return value;
        } catch (const JsonMaker::RowTooLarge&) {
            problem = "is longer than " + std::to_string(longest_row >> 20) + " MiB";
        }
        return nullptr;
    }

    std::string name_;
    arrow::ProxyMemoryPool proxy_; // counts what this file holds alone
    arrow::CappedMemoryPool pool_;
    std::unique_ptr<parquet::arrow::FileReader> reader_;
    std::vector<std::string> columns_;
    std::vector<int> leaves_;
    std::vector<std::int64_t> group_ends_; ///< rows up to the end of every row group
    std::int64_t total_ = 0;

    int group_ = 0; ///< that `batches_` reads
    std::int64_t skip_ = 0;
    std::shared_ptr<arrow::RecordBatchReader> batches_;
    std::shared_ptr<arrow::RecordBatch> batch_;
    std::int64_t at_ = 0; ///< next row of the batch
    JsonMaker maker_;
};

} // namespace

std::unique_ptr<ParquetRows> open_parquet_rows(const fs::path& path,
                                               const std::vector<std::string>& columns) {
    return guard_arrow(path.filename().string(), [&] { return std::make_unique<Rows>(path, columns); });
}

} // namespace tempera
