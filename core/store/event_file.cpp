#include "core/store/event_file.h"

#include "core/base/checksum.h"
#include "core/base/error.h"
#include "core/data/byte_reader.h"
#include "core/text/utf8.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <optional>
#include <ostream>

namespace fs = std::filesystem;

namespace tempera {

namespace {

/// Records that hold scalars are a few bytes; those with images or graphs are larger.
constexpr std::uint64_t longest_record = 256u << 20;
constexpr std::size_t longest_tag = 4096;

std::uint32_t masked_crc(std::string_view bytes) {
    std::uint32_t crc = crc32c(bytes.data(), bytes.size());
    return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

template <class Number>
Number little_endian(std::string_view bytes) {
    static_assert(std::endian::native == std::endian::little);
    Number number;
    std::memcpy(&number, bytes.data(), sizeof number);
    return number;
}

template <class Number>
std::string bytes_of(Number number) {
    std::string bytes(sizeof number, '\0');
    std::memcpy(bytes.data(), &number, sizeof number);
    return bytes;
}

/// What is wrong with a message; the caller names the record.
struct Malformed {};

/// One field of a protocol buffer message.
struct ProtoField {
    std::uint32_t number = 0;
    int wire = 0;           ///< 0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes
    std::uint64_t bits = 0; ///< of wire types 0, 1 and 5
    std::string_view bytes; ///< of wire type 2

    double as_double() const { return std::bit_cast<double>(bits); }
    float as_float() const { return std::bit_cast<float>(static_cast<std::uint32_t>(bits)); }
};

class ProtoReader {
public:
    explicit ProtoReader(std::string_view message) : rest_(message) {}

    bool next(ProtoField& field) {
        if (rest_.empty()) return false;
        std::uint64_t key = varint();
        field = {static_cast<std::uint32_t>(key >> 3), static_cast<int>(key & 7), 0, {}};
        switch (field.wire) {
        case 0:
            field.bits = varint();
            break;
        case 1:
            field.bits = little_endian<std::uint64_t>(take(8));
            break;
        case 2:
            field.bytes = take(varint());
            break;
        case 5:
            field.bits = little_endian<std::uint32_t>(take(4));
            break;
        default:
            throw Malformed{};
        }
        return true;
    }
    std::uint64_t varint() {
        std::uint64_t value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            auto byte = static_cast<unsigned char>(take(1)[0]);
            value |= std::uint64_t{byte & 0x7Fu} << shift;
            if (byte < 0x80) return value;
        }
        throw Malformed{};
    }
    bool at_end() const { return rest_.empty(); }

private:
    std::string_view take(std::uint64_t count) {
        if (count > rest_.size()) throw Malformed{};
        auto part = rest_.substr(0, static_cast<std::size_t>(count));
        rest_.remove_prefix(static_cast<std::size_t>(count));
        return part;
    }
    std::string_view rest_;
};

/// The first number of a TensorProto that holds one; NaN-free "none" where it is no number.
std::optional<double> scalar_of_tensor(std::string_view message) {
    enum { float_type = 1, double_type = 2, int32_type = 3, int64_type = 9 };
    std::uint64_t type = 0;
    std::string_view content;
    std::optional<double> value;
    ProtoReader reader(message);
    for (ProtoField field; reader.next(field);) {
        bool packed = field.wire == 2;
        if (field.number == 1 && field.wire == 0) type = field.bits;
        if (field.number == 4 && packed) content = field.bytes;
        if (value) continue;
        if (field.number == 5 && (!packed || field.bytes.size() >= 4))
            value = packed ? little_endian<float>(field.bytes) : field.as_float();
        if (field.number == 6 && (!packed || field.bytes.size() >= 8))
            value = packed ? little_endian<double>(field.bytes) : field.as_double();
        if ((field.number == 7 || field.number == 10) && (!packed || !field.bytes.empty()))
            value = static_cast<double>(
                static_cast<std::int64_t>(packed ? ProtoReader(field.bytes).varint() : field.bits));
    }
    if (value || content.empty()) return value;
    if (type == float_type && content.size() == 4) return little_endian<float>(content);
    if (type == double_type && content.size() == 8) return little_endian<double>(content);
    if (type == int32_type && content.size() == 4) return little_endian<std::int32_t>(content);
    if (type == int64_type && content.size() == 8)
        return static_cast<double>(little_endian<std::int64_t>(content));
    return std::nullopt;
}

/// The plugin that a value is for, "" where it says none.
std::string_view plugin_of(std::string_view metadata) {
    ProtoReader reader(metadata);
    for (ProtoField field; reader.next(field);) {
        if (field.number != 1 || field.wire != 2) continue;
        ProtoReader plugin(field.bytes);
        for (ProtoField part; plugin.next(part);)
            if (part.number == 1 && part.wire == 2) return part.bytes;
    }
    return "";
}

/// A Summary.Value that is a scalar: its tag and value.
bool read_value(std::string_view message, EventScalar& scalar) {
    std::optional<double> value, of_tensor;
    std::string_view plugin;
    scalar.tag.clear();
    ProtoReader reader(message);
    for (ProtoField field; reader.next(field);) {
        if (field.number == 1 && field.wire == 2) scalar.tag = field.bytes.substr(0, longest_tag);
        if (field.number == 2 && field.wire == 5) value = field.as_float();
        if (field.number == 8 && field.wire == 2) of_tensor = scalar_of_tensor(field.bytes);
        if (field.number == 9 && field.wire == 2) plugin = plugin_of(field.bytes);
    }
    // A tensor is a scalar only where its plugin says so; a histogram's is not.
    if (!value && plugin == "scalars") value = of_tensor;
    if (!value || scalar.tag.empty()) return false;
    scalar.tag = replace_invalid_utf8(scalar.tag);
    scalar.value = *value;
    return true;
}

void read_event(std::string_view message, const std::function<void(const EventScalar&)>& receive) {
    EventScalar scalar;
    std::vector<std::string_view> summaries;
    ProtoReader reader(message);
    for (ProtoField field; reader.next(field);) {
        if (field.number == 1 && field.wire == 1) scalar.wall_time = field.as_double();
        if (field.number == 2 && field.wire == 0) scalar.step = static_cast<std::int64_t>(field.bits);
        if (field.number == 5 && field.wire == 2) summaries.push_back(field.bytes);
    }
    for (auto summary : summaries) {
        ProtoReader values(summary);
        for (ProtoField field; values.next(field);)
            if (field.number == 1 && field.wire == 2 && read_value(field.bytes, scalar)) receive(scalar);
    }
}

/// false where the file ends before `count` bytes.
bool read_bytes(ByteReader& bytes, std::uint64_t count, std::string& into) {
    into.clear();
    for (std::uint64_t i = 0; i < count; ++i) {
        int c = bytes.get();
        if (c < 0) return false;
        into.push_back(static_cast<char>(c));
    }
    return true;
}

std::string varint_bytes(std::uint64_t value) {
    std::string bytes;
    for (; value >= 0x80; value >>= 7)
        bytes += static_cast<char>((value & 0x7F) | 0x80);
    return bytes + static_cast<char>(value);
}

/// A field of wire type 2.
std::string with_length(std::uint32_t number, std::string_view content) {
    return varint_bytes(number << 3 | 2) + varint_bytes(content.size()) + std::string(content);
}

std::string fixed64(std::uint32_t number, double value) {
    return varint_bytes(number << 3 | 1) + bytes_of(value);
}

} // namespace

bool read_event_file(const fs::path& path, const std::function<void(const EventScalar&)>& receive) {
    ByteReader bytes(path);
    std::string head, data, sum;
    for (std::int64_t number = 1;; ++number) {
        auto refuse = [&](const std::string& what) {
            fail(ErrorKind::bad_input, bytes.name() + " record " + std::to_string(number) + " " + what);
        };
        if (!read_bytes(bytes, 12, head)) return !head.empty();
        if (masked_crc(std::string_view(head).substr(0, 8)) != little_endian<std::uint32_t>(head.substr(8)))
            refuse(number == 1 ? "has a wrong checksum: this is no TensorBoard event file, or it is broken."
                               : "has a wrong checksum: the file is broken here.");
        auto length = little_endian<std::uint64_t>(head);
        if (length > longest_record)
            refuse("claims " + std::to_string(length) + " bytes, more than a record may have.");
        if (!read_bytes(bytes, length, data) || !read_bytes(bytes, 4, sum)) return true;
        if (masked_crc(data) != little_endian<std::uint32_t>(sum))
            refuse("has a wrong checksum: the file is broken here.");
        try {
            read_event(data, receive);
        } catch (const Malformed&) {
            refuse("is no Event message: the file is broken here.");
        }
    }
}

std::vector<fs::path> find_event_files(const fs::path& path) {
    std::vector<fs::path> files;
    std::error_code error;
    auto status = fs::status(path, error);
    if (!fs::exists(status)) fail(ErrorKind::not_found, "There is no file or folder " + path.string() + ".");
    if (!fs::is_directory(status)) return {path};
    for (fs::recursive_directory_iterator entry(path, fs::directory_options::skip_permission_denied, error),
         end;
         !error && entry != end; entry.increment(error))
        if (entry->is_regular_file(error)
            && entry->path().filename().string().find("tfevents") != std::string::npos)
            files.push_back(entry->path());
    if (files.empty())
        fail(ErrorKind::not_found,
             path.string() + " holds no TensorBoard event file (a name with \"tfevents\").");
    std::sort(files.begin(), files.end());
    return files;
}

EventWriter::EventWriter(std::ostream& out, double wall_time) : out_(out) {
    record(fixed64(1, wall_time) + with_length(3, "brain.Event:2"));
}

void EventWriter::scalar(const EventScalar& scalar) {
    std::string value =
        with_length(1, scalar.tag) + varint_bytes(2 << 3 | 5) + bytes_of(static_cast<float>(scalar.value));
    record(fixed64(1, scalar.wall_time) + varint_bytes(2 << 3)
           + varint_bytes(static_cast<std::uint64_t>(scalar.step)) + with_length(5, with_length(1, value)));
}

void EventWriter::record(const std::string& event) {
    std::string length = bytes_of(static_cast<std::uint64_t>(event.size()));
    out_ << length << bytes_of(masked_crc(length)) << event << bytes_of(masked_crc(event));
}

std::string tag_of_metric(const std::string& metric) {
    return metric.starts_with("eval_") ? "eval/" + metric.substr(5) : "train/" + metric;
}

std::string metric_of_tag(const std::string& tag) {
    if (tag.starts_with("train/") && tag.size() > 6) return tag.substr(6);
    if (tag.starts_with("eval/") && tag.size() > 5) return "eval_" + tag.substr(5);
    return tag;
}

} // namespace tempera
