#include "core/format/safetensors_header.h"

#include "core/base/error.h"
#include "core/base/json.h"

#include <algorithm>
#include <unordered_set>

namespace tempera {

namespace {

/// Takes the header in event by event: no document tree is built, so that memory stays near the size of the
/// text.
class HeaderHandler : public nlohmann::json_sax<Json> {
public:
    explicit HeaderHandler(const std::string& source) : source_(source) {}

    SafetensorsHeader take() { return std::move(header_); }

    bool null() override { return unexpected("null"); }
    bool boolean(bool) override { return unexpected("true or false"); }
    bool number_integer(number_integer_t) override { return unexpected("a negative number"); }
    bool number_float(number_float_t, const string_t&) override {
        return unexpected("a number that is not whole");
    }
    bool binary(binary_t&) override { return unexpected("binary data"); }

    bool number_unsigned(number_unsigned_t value) override {
        if (place_ == Place::shape) {
            if (value > INT64_MAX) refuse("has a dimension of " + std::to_string(value));
            if (tensor_.shape.size() == safetensors_max_rank) refuse("has more than 64 dimensions");
            tensor_.shape.push_back(static_cast<std::int64_t>(value));
        } else if (place_ == Place::offsets && offsets_ < 2) {
            (offsets_++ == 0 ? tensor_.begin : tensor_.end) = value;
        } else {
            unexpected("a number");
        }
        return true;
    }

    bool string(string_t& value) override {
        if (place_ == Place::metadata) {
            header_.metadata[key_] = std::move(value);
        } else if (place_ == Place::tensor && key_ == "dtype") {
            auto type = tensor_type_from_name(value);
            if (!type) refuse("has the unknown dtype " + in_quotes(value));
            tensor_.type = *type;
        } else {
            unexpected("a string");
        }
        return true;
    }

    bool start_object(std::size_t) override {
        if (place_ == Place::outside)
            place_ = Place::header;
        else if (place_ == Place::header)
            place_ = in_metadata_ ? Place::metadata : Place::tensor;
        else
            unexpected("an object");
        return true;
    }

    bool key(string_t& key) override {
        if (place_ == Place::header) {
            in_metadata_ = key == "__metadata__";
            if (!names_.insert(key).second) fail_header("has the key " + in_quotes(key) + " twice");
            if (names_.size() > safetensors_max_tensors + 1) fail_header("lists more than 100,000 tensors");
            tensor_ = StoredTensor();
            tensor_.name = key;
            fields_ = offsets_ = 0;
        } else if (place_ == Place::tensor) {
            int field = key == "dtype" ? 1 : key == "shape" ? 2 : key == "data_offsets" ? 4 : 0;
            if (field == 0) refuse("has the unknown field " + in_quotes(key));
            if (fields_ & field) refuse("has the field " + in_quotes(key) + " twice");
            fields_ |= field;
        } else if (header_.metadata.contains(key)) {
            fail_header("has the metadata key " + in_quotes(key) + " twice");
        }
        key_ = std::move(key);
        return true;
    }

    bool end_object() override {
        if (place_ == Place::tensor) {
            if (fields_ != 7) refuse("lacks dtype, shape or data_offsets");
            header_.tensors.push_back(std::move(tensor_));
        }
        place_ = place_ == Place::header ? Place::outside : Place::header;
        return true;
    }

    bool start_array(std::size_t) override {
        if (place_ == Place::tensor && key_ == "shape")
            place_ = Place::shape;
        else if (place_ == Place::tensor && key_ == "data_offsets")
            place_ = Place::offsets;
        else
            unexpected("an array");
        return true;
    }

    bool end_array() override {
        if (place_ == Place::offsets && offsets_ != 2) refuse("has data_offsets that are not two numbers");
        place_ = Place::tensor;
        return true;
    }

    bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
        fail_header("is not valid JSON at byte " + std::to_string(position));
    }

private:
    enum class Place { outside, header, metadata, tensor, shape, offsets };

    [[noreturn]] void fail_header(const std::string& what) const {
        fail(ErrorKind::bad_input,
             source_ + ": its safetensors header " + what + "; the file is damaged or not safetensors.");
    }
    [[noreturn]] void refuse(const std::string& what) const {
        fail_header("is wrong: tensor " + in_quotes(tensor_.name) + " " + what);
    }
    bool unexpected(const char* what) const {
        std::string where =
            place_ == Place::header || place_ == Place::outside ? "" : " in " + in_quotes(tensor_.name);
        fail_header("has " + std::string(what) + where + " where something else belongs");
    }

    const std::string& source_;
    SafetensorsHeader header_;
    std::unordered_set<std::string> names_;
    Place place_ = Place::outside;
    bool in_metadata_ = false;
    std::string key_;
    StoredTensor tensor_;
    int fields_ = 0;
    int offsets_ = 0;
};

/// Bytes of a tensor of that shape, or an error sentence's end where they cannot be counted.
std::uint64_t bytes_of_shape(const StoredTensor& tensor, const std::string& begin_of_sentence) {
    std::uint64_t bits = 1;
    for (std::int64_t dimension : tensor.shape)
        if (__builtin_mul_overflow(bits, static_cast<std::uint64_t>(dimension), &bits))
            fail(ErrorKind::bad_input,
                 begin_of_sentence + "its shape " + shape_text(tensor.shape) + " is too large to count.");
    if (__builtin_mul_overflow(bits, bits_of(tensor.type), &bits))
        fail(ErrorKind::bad_input,
             begin_of_sentence + "its shape " + shape_text(tensor.shape) + " is too large to count.");
    if (bits % 8 != 0)
        fail(ErrorKind::bad_input, begin_of_sentence + "its size is not a whole number of bytes.");
    return bits / 8;
}

void check_layout(const std::vector<StoredTensor>& tensors, std::uint64_t data_bytes,
                  const std::string& source) {
    std::uint64_t position = 0;
    for (const StoredTensor& tensor : tensors) {
        std::string sentence = source + ": tensor " + in_quotes(tensor.name) + " cannot be read: ";
        if (tensor.begin != position || tensor.end < tensor.begin)
            fail(ErrorKind::bad_input, sentence + "its data (bytes " + std::to_string(tensor.begin) + " to "
                                           + std::to_string(tensor.end)
                                           + ") do not begin where the tensor before ends (byte "
                                           + std::to_string(position) + ").");
        std::uint64_t needed = bytes_of_shape(tensor, sentence);
        if (tensor.end - tensor.begin != needed)
            fail(ErrorKind::bad_input, sentence + std::string(name_of(tensor.type)) + " of shape "
                                           + shape_text(tensor.shape) + " needs " + std::to_string(needed)
                                           + " bytes, the header gives it "
                                           + std::to_string(tensor.end - tensor.begin) + ".");
        position = tensor.end;
    }
    if (position != data_bytes)
        fail(ErrorKind::bad_input,
             source + ": its tensors take " + std::to_string(position) + " bytes, but the file holds "
                 + std::to_string(data_bytes)
                 + " after the header; it is cut short or something was added: fetch it again.");
}

} // namespace

SafetensorsHeader parse_safetensors_header(std::string_view json, std::uint64_t data_bytes,
                                           const std::string& source) {
    // The JSON library takes a NUL for the end of the text and skips a byte order mark; neither may pass
    // here.
    if (json.empty() || json.front() != '{' || json.find('\0') != std::string_view::npos)
        fail(ErrorKind::bad_input,
             source + ": its safetensors header is not JSON text; the file is damaged or not safetensors.");
    HeaderHandler handler(source);
    Json::sax_parse(json.begin(), json.end(), &handler);
    SafetensorsHeader header = handler.take();
    std::sort(header.tensors.begin(), header.tensors.end(),
              [](const StoredTensor& left, const StoredTensor& right) {
                  return std::tie(left.begin, left.end, left.name)
                         < std::tie(right.begin, right.end, right.name);
              });
    check_layout(header.tensors, data_bytes, source);
    return header;
}

std::string make_safetensors_header(std::vector<StoredTensor>& tensors,
                                    const std::map<std::string, std::string>& metadata) {
    std::sort(tensors.begin(), tensors.end(), [](const StoredTensor& left, const StoredTensor& right) {
        return left.type != right.type ? left.type > right.type : left.name < right.name;
    });
    auto text_of = [](const std::string& text) { return Json(text).dump(); };
    std::string header = "{";
    if (!metadata.empty()) {
        header += "\"__metadata__\":{";
        for (const auto& [key, value] : metadata)
            header += (header.back() == '{' ? "" : ",") + text_of(key) + ":" + text_of(value);
        header += "}";
    }
    std::uint64_t position = 0;
    for (StoredTensor& tensor : tensors) {
        std::uint64_t bytes =
            bytes_of_shape(tensor, "Tensor " + in_quotes(tensor.name) + " cannot be written: ");
        tensor.begin = position;
        tensor.end = position += bytes;
        header += (header.size() > 1 ? "," : "") + text_of(tensor.name) + ":{\"dtype\":\""
                  + std::string(name_of(tensor.type)) + "\",\"shape\":" + Json(tensor.shape).dump()
                  + ",\"data_offsets\":[" + std::to_string(tensor.begin) + "," + std::to_string(tensor.end)
                  + "]}";
    }
    header += "}";
    header.resize((header.size() + 7) / 8 * 8, ' ');
    return header;
}

} // namespace tempera
