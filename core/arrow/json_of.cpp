#include "core/arrow/json_of.h"

#include "core/data/jsonl.h"
#include "core/text/utf8.h"

#include <arrow/array.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>
#include <arrow/util/float16.h>

namespace tempera {

namespace {

/// What a value costs beside its bytes.
constexpr std::size_t value_cost = 16;

template <class ArrayType>
const ArrayType& as(const arrow::Array& array) {
    return arrow::internal::checked_cast<const ArrayType&>(array);
}

} // namespace

void JsonMaker::spend(std::size_t bytes) {
    spent_ += bytes;
    if (spent_ > longest_row) throw RowTooLarge{};
}

Json JsonMaker::text(std::string_view bytes) {
    if (!is_valid_utf8(bytes)) return bytes_value(bytes.size());
    spend(bytes.size());
    return std::string(bytes);
}

template <class ListArray>
Json JsonMaker::list(const ListArray& array, std::int64_t index) {
    Json result = Json::array();
    const std::int64_t begin = array.value_offset(index), end = begin + array.value_length(index);
    for (std::int64_t at = begin; at < end; ++at)
        result.push_back(cell(*array.values(), at));
    return result;
}

Json JsonMaker::record(const arrow::StructArray& array, std::int64_t index) {
    Json result = Json::object();
    for (int i = 0; i < array.num_fields(); ++i)
        result[array.struct_type()->field(i)->name()] = cell(*array.field(i), index);
    return result;
}

Json JsonMaker::cell(const arrow::Array& array, std::int64_t index) {
    spend(value_cost);
    if (array.IsNull(index)) return nullptr;
    using arrow::Type;
    switch (array.type_id()) {
    case Type::STRING:
        return text(as<arrow::StringArray>(array).GetView(index));
    case Type::LARGE_STRING:
        return text(as<arrow::LargeStringArray>(array).GetView(index));
    case Type::STRING_VIEW:
        return text(as<arrow::StringViewArray>(array).GetView(index));
    case Type::BINARY:
        return text(as<arrow::BinaryArray>(array).GetView(index));
    case Type::LARGE_BINARY:
        return text(as<arrow::LargeBinaryArray>(array).GetView(index));
    case Type::BOOL:
        return as<arrow::BooleanArray>(array).Value(index);
    case Type::INT8:
        return as<arrow::Int8Array>(array).Value(index);
    case Type::INT16:
        return as<arrow::Int16Array>(array).Value(index);
    case Type::INT32:
        return as<arrow::Int32Array>(array).Value(index);
    case Type::INT64:
        return as<arrow::Int64Array>(array).Value(index);
    case Type::UINT8:
        return as<arrow::UInt8Array>(array).Value(index);
    case Type::UINT16:
        return as<arrow::UInt16Array>(array).Value(index);
    case Type::UINT32:
        return as<arrow::UInt32Array>(array).Value(index);
    case Type::UINT64:
        return as<arrow::UInt64Array>(array).Value(index);
    case Type::HALF_FLOAT:
        return arrow::util::Float16::FromBits(as<arrow::HalfFloatArray>(array).Value(index)).ToDouble();
    case Type::FLOAT:
        return as<arrow::FloatArray>(array).Value(index);
    case Type::DOUBLE:
        return as<arrow::DoubleArray>(array).Value(index);
    case Type::STRUCT:
        return record(as<arrow::StructArray>(array), index);
    case Type::LIST:
        return list(as<arrow::ListArray>(array), index);
    case Type::LARGE_LIST:
        return list(as<arrow::LargeListArray>(array), index);
    case Type::FIXED_SIZE_LIST:
        return list(as<arrow::FixedSizeListArray>(array), index);
    case Type::MAP:
        return list(as<arrow::MapArray>(array), index);
    case Type::DICTIONARY:
        return cell(*as<arrow::DictionaryArray>(array).dictionary(),
                    as<arrow::DictionaryArray>(array).GetValueIndex(index));
    case Type::EXTENSION:
        return cell(*as<arrow::ExtensionArray>(array).storage(), index);
    default: {
        auto scalar = array.GetScalar(index);
        return scalar.ok() ? text((*scalar)->ToString()) : Json(nullptr);
    }
    }
}

} // namespace tempera
