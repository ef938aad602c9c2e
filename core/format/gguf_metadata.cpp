#include "core/format/gguf_metadata.h"

#include "core/base/error.h"

#include <charconv>
#include <cmath>
#include <cstdlib>

namespace tempera {

void GgufMetadata::refuse(const std::string& what) const {
    fail(ErrorKind::bad_input, gguf_.path().string() + ": " + what + ".");
}

void GgufMetadata::refuse_unsupported(const std::string& what) const {
    fail(ErrorKind::unsupported, gguf_.path().string() + ": " + what + ".");
}

const GgufValue* GgufMetadata::scalar(const std::string& key) const {
    const GgufValue* value = gguf_.value(key);
    if (value && value->is_array()) refuse(key + " is a list where one value belongs");
    return value;
}

std::optional<std::int64_t> GgufMetadata::find_integer(const std::string& key, std::int64_t least,
                                                       std::int64_t most) const {
    const GgufValue* value = gguf_.value(key);
    if (!value) return std::nullopt;
    auto number = value->integer();
    if (!number || *number < least || *number > most)
        refuse(key + " is " + (number ? std::to_string(*number) : "not a whole number")
               + ", but must be from " + std::to_string(least) + " to " + std::to_string(most));
    for (std::size_t i = 1; i < value->count(); ++i)
        if (value->integer(i) != number)
            refuse_unsupported(key + " differs from layer to layer, which is not supported");
    return number;
}

std::int64_t GgufMetadata::integer(const std::string& key, std::int64_t least, std::int64_t most) const {
    auto number = find_integer(key, least, most);
    if (!number) refuse("it lacks the metadata " + key);
    return *number;
}

std::optional<double> GgufMetadata::find_number(const std::string& key) const {
    const GgufValue* value = scalar(key);
    if (!value) return std::nullopt;
    auto number = value->number();
    if (!number || !std::isfinite(*number)) refuse(key + " is not a finite number");
    auto single = value->single();
    if (!single) return number;
    // 1e-05 stands in the file as the float 9.999999747e-06: the shortest text of that float is what was
    // meant.
    char text[40];
    auto end = std::to_chars(text, text + sizeof text - 1, *single).ptr;
    *end = '\0';
    return std::strtod(text, nullptr);
}

std::optional<bool> GgufMetadata::find_flag(const std::string& key) const {
    const GgufValue* value = scalar(key);
    if (!value) return std::nullopt;
    if (!value->flag()) refuse(key + " is neither true nor false");
    return value->flag();
}

std::optional<std::string> GgufMetadata::find_text(const std::string& key) const {
    const GgufValue* value = scalar(key);
    if (!value) return std::nullopt;
    if (!value->text()) refuse(key + " is not a text");
    return std::string(*value->text());
}

std::string GgufMetadata::text(const std::string& key) const {
    auto value = find_text(key);
    if (!value) refuse("it lacks the metadata " + key);
    return *value;
}

const GgufValue& GgufMetadata::array(const std::string& key, GgufType type) const {
    const GgufValue* value = gguf_.value(key);
    if (!value) refuse("it lacks the metadata " + key);
    if (!value->is_array() || value->element_type() != type)
        refuse(key + " is not a list of the type that belongs there");
    return *value;
}

} // namespace tempera
