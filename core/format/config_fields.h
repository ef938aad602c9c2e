#pragma once

#include "core/base/error.h"
#include "core/base/json.h"

#include <cstdint>
#include <string>

namespace tempera {

/// Takes fields out of one JSON object and names field and file in every error. A field that is null counts
/// as absent.
class ConfigFields {
public:
    ConfigFields(const Json& object, std::string source) : object_(object), source_(std::move(source)) {
        if (!object.is_object()) fail(ErrorKind::bad_input, source_ + " is not a JSON object.");
    }

    const std::string& source() const { return source_; }
    const Json* find(const char* name) const {
        auto found = object_.find(name);
        return found == object_.end() || found->is_null() ? nullptr : &*found;
    }
    bool is_null(const char* name) const { return object_.contains(name) && object_.at(name).is_null(); }

    std::int64_t integer(const char* name, std::int64_t least, std::int64_t most) const {
        const Json* value = find(name);
        if (!value)
            fail(ErrorKind::bad_input,
                 source_ + " lacks " + name + "; it is not the config.json of a whole model.");
        return checked_integer(*value, name, least, most);
    }
    std::int64_t integer_or(const char* name, std::int64_t otherwise, std::int64_t least,
                            std::int64_t most) const {
        const Json* value = find(name);
        return value ? checked_integer(*value, name, least, most) : otherwise;
    }
    double number_or(const char* name, double otherwise, double least, double most) const {
        const Json* value = find(name);
        if (!value) return otherwise;
        if (!value->is_number() || !(value->get<double>() >= least && value->get<double>() <= most))
            refuse(name, "must be a number from " + text_of(least) + " to " + text_of(most), *value);
        return value->get<double>();
    }
    bool flag_or(const char* name, bool otherwise) const {
        const Json* value = find(name);
        if (!value) return otherwise;
        if (!value->is_boolean()) refuse(name, "must be true or false", *value);
        return value->get<bool>();
    }
    std::string text_or(const char* name, const std::string& otherwise) const {
        const Json* value = find(name);
        if (!value) return otherwise;
        if (!value->is_string()) refuse(name, "must be a string", *value);
        return value->get<std::string>();
    }
    [[noreturn]] void refuse(const char* name, const std::string& rule, const Json& value) const {
        fail(ErrorKind::bad_input, source_ + ": " + name + " is " + shown(value) + ", but " + rule + ".");
    }
    [[noreturn]] void refuse_unsupported(const char* name, const Json& value,
                                         const std::string& supported) const {
        fail(ErrorKind::unsupported,
             source_ + ": " + name + " " + shown(value) + " is not supported; " + supported + ".");
    }

private:
    static std::string text_of(double value) { return Json(value).dump(); }
    static std::string shown(const Json& value) {
        std::string text = to_json_line(value);
        return text.size() > 60 ? text.substr(0, 60) + "..." : text;
    }
    std::int64_t checked_integer(const Json& value, const char* name, std::int64_t least,
                                 std::int64_t most) const {
        bool whole = value.is_number_integer()
                     && !(value.is_number_unsigned()
                          && value.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX));
        if (!whole || value.get<std::int64_t>() < least || value.get<std::int64_t>() > most)
            refuse(name,
                   "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most),
                   value);
        return value.get<std::int64_t>();
    }

    const Json& object_;
    std::string source_;
};

} // namespace tempera
