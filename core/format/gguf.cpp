#include "core/format/gguf.h"

#include "core/base/error.h"
#include "core/format/tensor_type.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <memory>

namespace fs = std::filesystem;

namespace tempera {

namespace {

std::size_t size_of(GgufType type) {
    switch (type) {
    case GgufType::u8:
    case GgufType::i8:
    case GgufType::boolean:
        return 1;
    case GgufType::u16:
    case GgufType::i16:
        return 2;
    case GgufType::u32:
    case GgufType::i32:
    case GgufType::f32:
        return 4;
    case GgufType::u64:
    case GgufType::i64:
    case GgufType::f64:
        return 8;
    case GgufType::string:
    case GgufType::array:
        break;
    }
    return 0;
}

template <typename T>
T value_at(const std::string& bytes, std::size_t index) {
    T value;
    std::memcpy(&value, bytes.data() + index * sizeof value, sizeof value);
    return value;
}

} // namespace

std::optional<std::int64_t> GgufValue::integer(std::size_t index) const {
    if (index >= count_) return std::nullopt;
    switch (type_) {
    case GgufType::u8:
        return value_at<std::uint8_t>(bytes_, index);
    case GgufType::i8:
        return value_at<std::int8_t>(bytes_, index);
    case GgufType::u16:
        return value_at<std::uint16_t>(bytes_, index);
    case GgufType::i16:
        return value_at<std::int16_t>(bytes_, index);
    case GgufType::u32:
        return value_at<std::uint32_t>(bytes_, index);
    case GgufType::i32:
        return value_at<std::int32_t>(bytes_, index);
    case GgufType::i64:
        return value_at<std::int64_t>(bytes_, index);
    case GgufType::u64:
        if (auto value = value_at<std::uint64_t>(bytes_, index); value <= INT64_MAX)
            return static_cast<std::int64_t>(value);
        return std::nullopt;
    default:
        return std::nullopt;
    }
}

std::optional<double> GgufValue::number(std::size_t index) const {
    if (index >= count_) return std::nullopt;
    if (type_ == GgufType::f32) return value_at<float>(bytes_, index);
    if (type_ == GgufType::f64) return value_at<double>(bytes_, index);
    if (auto whole = integer(index)) return static_cast<double>(*whole);
    return std::nullopt;
}

std::optional<float> GgufValue::single(std::size_t index) const {
    if (index >= count_ || type_ != GgufType::f32) return std::nullopt;
    return value_at<float>(bytes_, index);
}

std::optional<bool> GgufValue::flag(std::size_t index) const {
    if (index >= count_ || type_ != GgufType::boolean) return std::nullopt;
    return bytes_[index] != 0;
}

std::optional<std::string_view> GgufValue::text(std::size_t index) const {
    if (index >= count_ || type_ != GgufType::string) return std::nullopt;
    std::uint64_t begin = index == 0 ? 0 : ends_[index - 1];
    return std::string_view(bytes_).substr(begin, ends_[index] - begin);
}

std::int64_t GgufTensor::elements() const {
    std::int64_t product = 1;
    for (std::int64_t dimension : shape)
        product *= dimension; // checked against overflow when the file was opened
    return product;
}

/// Reads the head of a file from front to back through a buffer; never past its end.
class GgufParser {
public:
    explicit GgufParser(GgufReader& reader)
        : reader_(reader), buffer_(std::min<std::uint64_t>(1u << 20, reader.file_.size())) {}

    void parse() {
        read_preamble();
        for (std::uint64_t i = 0; i < metadata_count_; ++i)
            read_entry();
        read_alignment();
        for (std::uint64_t i = 0; i < tensor_count_; ++i)
            read_tensor(i);
        place_tensors();
    }

private:
    [[noreturn]] void refuse(const std::string& what) const {
        fail(ErrorKind::bad_input, reader_.path().string() + ": " + what + "; the GGUF file is damaged.");
    }

    std::uint64_t remaining() const { return reader_.file_.size() - position_; }

    void take(std::byte* into, std::uint64_t count) {
        if (count > remaining())
            refuse("it ends at byte " + std::to_string(reader_.file_.size()) + " inside of " + where_);
        while (count > 0) {
            if (position_ < buffer_begin_ || position_ >= buffer_end_) {
                buffer_begin_ = position_;
                buffer_end_ = position_ + std::min<std::uint64_t>(buffer_.size(), remaining());
                reader_.file_.read_at(position_, std::span(buffer_).first(buffer_end_ - buffer_begin_));
            }
            std::uint64_t part = std::min(count, buffer_end_ - position_);
            std::memcpy(into, buffer_.data() + (position_ - buffer_begin_), part);
            into += part;
            position_ += part;
            count -= part;
        }
    }

    template <typename T>
    T take() {
        T value;
        take(reinterpret_cast<std::byte*>(&value), sizeof value);
        return value;
    }

    /// Appends to `into`, so that an array of strings is one piece of memory.
    void take_string(std::string& into, std::uint64_t most) {
        auto size = take<std::uint64_t>();
        if (size > most)
            refuse(where_ + " has a string of " + std::to_string(size) + " bytes, at most "
                   + std::to_string(most) + " are allowed");
        if (size > remaining())
            refuse("it ends at byte " + std::to_string(reader_.file_.size()) + " inside of " + where_);
        std::size_t begin = into.size();
        into.resize(begin + size);
        take(reinterpret_cast<std::byte*>(into.data() + begin), size);
    }

    void read_preamble() {
        where_ = "its first 24 bytes";
        std::array<char, 4> magic{};
        take(reinterpret_cast<std::byte*>(magic.data()), 4);
        if (std::string_view(magic.data(), 4) != "GGUF")
            fail(ErrorKind::bad_input,
                 reader_.path().string() + " is not a GGUF file: it does not begin with \"GGUF\".");
        reader_.version_ = take<std::uint32_t>();
        if (reader_.version_ != 2 && reader_.version_ != 3) {
            bool swapped = (reader_.version_ & 0xffffu) == 0;
            fail(ErrorKind::unsupported,
                 reader_.path().string()
                     + (swapped ? " is a big-endian GGUF file; only little-endian ones can be read."
                                : " has GGUF version " + std::to_string(reader_.version_)
                                      + "; 2 and 3 can be read."));
        }
        tensor_count_ = take<std::uint64_t>();
        metadata_count_ = take<std::uint64_t>();
        if (tensor_count_ > GgufReader::max_entries || metadata_count_ > GgufReader::max_entries)
            refuse("it announces " + std::to_string(tensor_count_) + " tensors and "
                   + std::to_string(metadata_count_) + " metadata entries, at most "
                   + std::to_string(GgufReader::max_entries) + " of each are allowed");
    }

    GgufType take_type() {
        auto number = take<std::uint32_t>();
        if (number > static_cast<std::uint32_t>(GgufType::f64))
            refuse(where_ + " has the unknown type " + std::to_string(number));
        return static_cast<GgufType>(number);
    }

    void read_entry() {
        where_ = "a metadata key";
        std::string key;
        take_string(key, GgufReader::max_key_bytes);
        where_ = "metadata " + in_quotes(key);
        GgufValue value;
        value.type_ = take_type();
        value.count_ = 1;
        if (value.type_ == GgufType::array) {
            value.is_array_ = true;
            value.type_ = take_type();
            value.count_ = take<std::uint64_t>();
            if (value.type_ == GgufType::array) refuse(where_ + " is an array of arrays");
            if (value.count_ > GgufReader::max_array_elements)
                refuse(where_ + " is an array of " + std::to_string(value.count_) + " elements, at most "
                       + std::to_string(GgufReader::max_array_elements) + " are allowed");
        }
        read_elements(value);
        if (!reader_.metadata_.try_emplace(std::move(key), std::move(value)).second)
            refuse(where_ + " stands there twice");
    }

    void read_elements(GgufValue& value) {
        if (value.type_ == GgufType::string) {
            if (value.count_ > remaining() / 8) refuse("it ends inside of " + where_);
            value.ends_.reserve(value.count_);
            for (std::size_t i = 0; i < value.count_; ++i) {
                take_string(value.bytes_, GgufReader::max_string_bytes);
                value.ends_.push_back(value.bytes_.size());
            }
            return;
        }
        std::uint64_t bytes = value.count_ * size_of(value.type_);
        if (bytes > remaining()) refuse("it ends inside of " + where_);
        value.bytes_.resize(bytes);
        take(reinterpret_cast<std::byte*>(value.bytes_.data()), bytes);
        if (value.type_ == GgufType::boolean)
            for (char flag : value.bytes_)
                if (flag != 0 && flag != 1) refuse(where_ + " is neither true nor false");
    }

    void read_alignment() {
        const GgufValue* value = reader_.value("general.alignment");
        if (!value) return;
        auto number = value->integer();
        if (value->is_array() || value->element_type() != GgufType::u32 || *number < 1
            || *number > GgufReader::max_alignment
            || !std::has_single_bit(static_cast<std::uint64_t>(*number)))
            refuse("general.alignment must be a power of two up to "
                   + std::to_string(GgufReader::max_alignment));
        alignment_ = static_cast<std::uint64_t>(*number);
    }

    void read_tensor(std::uint64_t index) {
        where_ = "the entry of tensor " + std::to_string(index);
        GgufTensor tensor;
        take_string(tensor.name, GgufReader::max_key_bytes);
        where_ = "tensor " + in_quotes(tensor.name);
        auto dimensions = take<std::uint32_t>();
        if (dimensions < 1 || dimensions > GgufReader::max_dimensions)
            refuse(where_ + " has " + std::to_string(dimensions) + " dimensions, 1 to 4 are allowed");
        std::uint64_t elements = 1;
        for (std::uint32_t i = 0; i < dimensions; ++i) {
            auto dimension = take<std::uint64_t>();
            if (dimension == 0 || dimension > INT64_MAX
                || __builtin_mul_overflow(elements, dimension, &elements))
                refuse(where_ + " has a dimension of 0 or more elements than can be counted");
            tensor.shape.insert(tensor.shape.begin(), static_cast<std::int64_t>(dimension));
        }
        auto number = take<std::uint32_t>();
        auto type = ggml_type_info(number);
        if (!type) refuse(where_ + " has the unknown type " + std::to_string(number));
        tensor.type = type->type;
        if (static_cast<std::uint64_t>(tensor.shape.back()) % type->block_elements != 0)
            refuse(where_ + " has rows of " + std::to_string(tensor.shape.back())
                   + " elements, not whole blocks of " + std::string(type->name));
        if (elements > INT64_MAX
            || __builtin_mul_overflow(elements / type->block_elements, type->block_bytes, &tensor.bytes))
            refuse(where_ + " has more bytes than can be counted");
        tensor.begin = take<std::uint64_t>();
        if (!reader_.index_.try_emplace(tensor.name, reader_.tensors_.size()).second)
            refuse(where_ + " stands there twice");
        reader_.tensors_.push_back(std::move(tensor));
    }

    std::uint64_t padded(std::uint64_t position) const {
        return (position + alignment_ - 1) / alignment_ * alignment_;
    }

    /// Offsets in the file count from the aligned end of the head; each tensor follows the one before,
    /// padded.
    void place_tensors() {
        std::uint64_t data_begin = padded(position_), expected = 0;
        for (GgufTensor& tensor : reader_.tensors_) {
            where_ = "tensor " + in_quotes(tensor.name);
            if (tensor.begin != expected)
                refuse(where_ + " has the offset " + std::to_string(tensor.begin) + " instead of "
                       + std::to_string(expected));
            tensor.begin += data_begin;
            if (tensor.begin > reader_.file_.size() || tensor.bytes > reader_.file_.size() - tensor.begin)
                refuse("the data of " + where_ + " (" + std::to_string(tensor.bytes)
                       + " bytes) lie beyond the end of the file");
            expected = padded(expected + tensor.bytes); // no overflow: both are below the size of the file
        }
    }

    GgufReader& reader_;
    std::vector<std::byte> buffer_;
    std::uint64_t buffer_begin_ = 0;
    std::uint64_t buffer_end_ = 0;
    std::uint64_t position_ = 0;
    std::uint64_t tensor_count_ = 0;
    std::uint64_t metadata_count_ = 0;
    std::uint64_t alignment_ = 32;
    std::string where_;
};

GgufReader GgufReader::open(const fs::path& path) {
    GgufReader reader(path);
    GgufParser(reader).parse();
    return reader;
}

const GgufValue* GgufReader::value(std::string_view key) const {
    auto found = metadata_.find(key);
    return found == metadata_.end() ? nullptr : &found->second;
}

const GgufTensor* GgufReader::find(std::string_view name) const {
    auto found = index_.find(std::string(name));
    return found == index_.end() ? nullptr : &tensors_[found->second];
}

const GgufTensor& GgufReader::at(std::string_view name) const {
    if (const GgufTensor* tensor = find(name)) return *tensor;
    fail(ErrorKind::bad_input, path().string() + " has no tensor " + in_quotes(name)
                                   + "; the model is incomplete or of another kind.");
}

void GgufReader::read_f32(std::string_view name, std::span<float> into) const {
    const GgufTensor& tensor = at(name);
    const GgmlTypeInfo& type = ggml_type_info(tensor.type);
    if (!type.readable)
        fail(ErrorKind::unsupported,
             path().string() + ": tensor " + in_quotes(name) + " is quantised as " + std::string(type.name)
                 + ", which cannot be read; choose a file in F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0,"
                   " Q5_1, Q4_K, Q5_K or Q6_K.");
    if (static_cast<std::int64_t>(into.size()) != tensor.elements())
        fail(ErrorKind::internal, "Tensor " + in_quotes(name) + " has " + std::to_string(tensor.elements())
                                      + " elements, but room was made for " + std::to_string(into.size())
                                      + ".");
    if (tensor.type == GgmlType::f32) return file_.read_at(tensor.begin, std::as_writable_bytes(into));
    const std::size_t chunk_blocks = (1u << 17) / type.block_elements; // stays in the cache
    std::vector<std::byte> buffer(chunk_blocks * type.block_bytes);
    std::size_t blocks = into.size() / type.block_elements;
    for (std::size_t done = 0; done < blocks; done += chunk_blocks) {
        std::size_t count = std::min(chunk_blocks, blocks - done);
        std::span<std::byte> part = std::span(buffer).first(count * type.block_bytes);
        file_.read_at(tensor.begin + done * type.block_bytes, part);
        dequantise(tensor.type, part, into.subspan(done * type.block_elements, count * type.block_elements));
    }
}

} // namespace tempera
