#pragma once

#include "core/format/gguf.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tempera {

/// Typed access to the metadata of a GGUF file; every error names the file and the key.
class GgufMetadata {
public:
    explicit GgufMetadata(const GgufReader& gguf) : gguf_(gguf) {}

    bool has(const std::string& key) const { return gguf_.value(key) != nullptr; }

    /// A scalar; or an array whose elements are all the same (sizes may be given per layer).
    std::optional<std::int64_t> find_integer(const std::string& key, std::int64_t least,
                                             std::int64_t most) const;
    std::int64_t integer(const std::string& key, std::int64_t least, std::int64_t most) const;
    std::optional<double> find_number(const std::string& key) const;
    std::optional<bool> find_flag(const std::string& key) const;
    std::optional<std::string> find_text(const std::string& key) const;
    std::string text(const std::string& key) const;
    /// An array of strings or integers.
    const GgufValue& array(const std::string& key, GgufType type) const;

    [[noreturn]] void refuse(const std::string& what) const;
    [[noreturn]] void refuse_unsupported(const std::string& what) const;

private:
    const GgufValue* scalar(const std::string& key) const;

    const GgufReader& gguf_;
};

} // namespace tempera
