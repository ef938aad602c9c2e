#include "core/arrow/arrow_error.h"
#include "core/arrow/rows.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/io/interfaces.h>
#include <arrow/record_batch.h>
#include <arrow/table_builder.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>
#include <parquet/arrow/writer.h>

namespace tempera {

namespace {

using arrow::internal::checked_cast;

constexpr const char* what_is_written = "The Parquet file";
/// Rows of one row group.
constexpr std::int64_t rows_of_group = 1000;

/// Hands what Parquet writes to the caller. What that throws is kept until Parquet's own code, which is not
/// written for it, has returned.
class Stream final : public arrow::io::OutputStream {
public:
    explicit Stream(ByteSink out) : out_(std::move(out)) {}

    arrow::Status Write(const void* data, std::int64_t count) override {
        try {
            out_({static_cast<const char*>(data), static_cast<std::size_t>(count)});
        } catch (...) {
            failure = std::current_exception();
            return arrow::Status::IOError("it cannot be written");
        }
        written_ += count;
        return arrow::Status::OK();
    }
    using OutputStream::Write;
    arrow::Status Close() override {
        closed_ = true;
        return arrow::Status::OK();
    }
    arrow::Result<std::int64_t> Tell() const override { return written_; }
    bool closed() const override { return closed_; }

    std::exception_ptr failure;

private:
    ByteSink out_;
    std::int64_t written_ = 0;
    bool closed_ = false;
};

arrow::FieldVector fields_of(const ParquetType& type);

std::shared_ptr<arrow::DataType> arrow_type(const ParquetType& type) {
    switch (type.kind) {
    case ParquetType::Kind::text:
        return arrow::utf8();
    case ParquetType::Kind::integer:
        return arrow::int64();
    case ParquetType::Kind::number:
        return arrow::float64();
    case ParquetType::Kind::boolean:
        return arrow::boolean();
    case ParquetType::Kind::list:
        return arrow::list(arrow_type(type.members.front().second));
    case ParquetType::Kind::record:
        return arrow::struct_(fields_of(type));
    }
    fail(ErrorKind::internal, "There is no such Parquet type.");
}

arrow::FieldVector fields_of(const ParquetType& type) {
    arrow::FieldVector fields;
    for (const auto& [name, member] : type.members)
        fields.push_back(arrow::field(name, arrow_type(member)));
    return fields;
}

arrow::Status append(arrow::ArrayBuilder& builder, const Json& value);

arrow::Status append_record(arrow::StructBuilder& builder, const Json& value) {
    ARROW_RETURN_NOT_OK(builder.Append());
    for (int i = 0; i < builder.num_fields(); ++i) {
        auto member = value.find(builder.type()->field(i)->name());
        ARROW_RETURN_NOT_OK(append(*builder.field_builder(i), member == value.end() ? Json() : *member));
    }
    return arrow::Status::OK();
}

arrow::Status append_list(arrow::ListBuilder& builder, const Json& value) {
    ARROW_RETURN_NOT_OK(builder.Append());
    for (const Json& item : value)
        ARROW_RETURN_NOT_OK(append(*builder.value_builder(), item));
    return arrow::Status::OK();
}

/// Null where the value is of another kind.
arrow::Status append(arrow::ArrayBuilder& builder, const Json& value) {
    switch (builder.type()->id()) {
    case arrow::Type::STRING:
        if (value.is_string())
            return checked_cast<arrow::StringBuilder&>(builder).Append(value.get_ref<const std::string&>());
        if (!value.is_null()) return checked_cast<arrow::StringBuilder&>(builder).Append(to_json_line(value));
        break;
    case arrow::Type::INT64:
        if (value.is_number_integer())
            return checked_cast<arrow::Int64Builder&>(builder).Append(value.get<std::int64_t>());
        break;
    case arrow::Type::DOUBLE:
        if (value.is_number())
            return checked_cast<arrow::DoubleBuilder&>(builder).Append(value.get<double>());
        break;
    case arrow::Type::BOOL:
        if (value.is_boolean())
            return checked_cast<arrow::BooleanBuilder&>(builder).Append(value.get<bool>());
        break;
    case arrow::Type::LIST:
        if (value.is_array()) return append_list(checked_cast<arrow::ListBuilder&>(builder), value);
        break;
    default:
        if (value.is_object()) return append_record(checked_cast<arrow::StructBuilder&>(builder), value);
        break;
    }
    return builder.AppendNull();
}

class Sink final : public ParquetSink {
public:
    Sink(const ByteSink& out, const ParquetType& columns)
        : schema_(arrow::schema(fields_of(columns))), stream_(std::make_shared<Stream>(out)) {
        auto properties = parquet::WriterProperties::Builder()
                              .compression(parquet::Compression::ZSTD)
                              ->max_row_group_length(rows_of_group)
                              ->build();
        require([&]() -> arrow::Status {
            ARROW_ASSIGN_OR_RAISE(writer_, parquet::arrow::FileWriter::Open(
                                               *schema_, arrow::default_memory_pool(), stream_, properties));
            ARROW_ASSIGN_OR_RAISE(builder_, arrow::RecordBatchBuilder::Make(
                                                schema_, arrow::default_memory_pool(), rows_of_group));
            return arrow::Status::OK();
        });
    }

    void write(const Json& row) override {
        require([&]() -> arrow::Status {
            for (int i = 0; i < builder_->num_fields(); ++i) {
                auto member = row.find(schema_->field(i)->name());
                ARROW_RETURN_NOT_OK(append(*builder_->GetField(i), member == row.end() ? Json() : *member));
            }
            return ++waiting_ == rows_of_group ? write_waiting() : arrow::Status::OK();
        });
    }

    void close() override {
        require([&]() -> arrow::Status {
            ARROW_RETURN_NOT_OK(write_waiting());
            return writer_->Close();
        });
    }

private:
    /// Runs `action`; throws what the stream threw, else Arrow's error.
    template <class Action>
    void require(Action&& action) {
        guard_arrow(what_is_written, [&] {
            arrow::Status status;
            try {
                status = action();
            } catch (...) {
                if (!stream_->failure) throw;
            }
            if (stream_->failure) std::rethrow_exception(stream_->failure);
            check_arrow(status, what_is_written);
        });
    }

    arrow::Status write_waiting() {
        if (waiting_ == 0) return arrow::Status::OK();
        waiting_ = 0;
        ARROW_ASSIGN_OR_RAISE(auto batch, builder_->Flush());
        return writer_->WriteRecordBatch(*batch);
    }

    std::shared_ptr<arrow::Schema> schema_;
    std::shared_ptr<Stream> stream_;
    std::unique_ptr<parquet::arrow::FileWriter> writer_;
    std::unique_ptr<arrow::RecordBatchBuilder> builder_;
    std::int64_t waiting_ = 0;
};

} // namespace

std::unique_ptr<ParquetSink> create_parquet_sink(const ByteSink& out, const ParquetType& columns) {
    return std::make_unique<Sink>(out, columns);
}

} // namespace tempera
