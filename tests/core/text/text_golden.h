#pragma once

#include "core/base/files.h"
#include "core/text/tokenizer.h"
#include "tests/support/paths.h"

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace tempera::test {

/// Reads the files tests/golden/make_tokenizers.py writes: little-endian base-128 numbers.
class GoldenReader {
public:
    explicit GoldenReader(const std::filesystem::path& path) : bytes_(read_file(path, 64u << 20)) {}
    struct Unpacked {};
    GoldenReader(std::string bytes, Unpacked) : bytes_(std::move(bytes)) {}

    bool at_end() const { return position_ >= bytes_.size(); }
    std::uint32_t number() {
        std::uint32_t value = 0;
        for (int shift = 0;; shift += 7) {
            auto byte = static_cast<unsigned char>(bytes_.at(position_++));
            value |= static_cast<std::uint32_t>(byte & 0x7F) << shift;
            if (byte < 0x80) return value;
        }
    }
    std::string blob() {
        std::size_t length = number();
        if (length > bytes_.size() - position_) throw std::out_of_range("golden file ends inside a string");
        position_ += length;
        return bytes_.substr(position_ - length, length);
    }
    std::vector<std::int32_t> ids() {
        std::vector<std::int32_t> out(number());
        for (auto& id : out)
            id = static_cast<std::int32_t>(number());
        return out;
    }

private:
    std::string bytes_;
    std::size_t position_ = 0;
};

inline std::filesystem::path golden_folder() {
    return std::filesystem::path(source_dir()) / "tests/golden/tokenizers";
}

inline std::vector<std::string> golden_strings() {
    GoldenReader reader(golden_folder() / "strings.bin");
    std::vector<std::string> out;
    while (!reader.at_end())
        out.push_back(reader.blob());
    return out;
}

/// "12 34 56", for messages.
inline std::string as_text(const std::vector<std::int32_t>& ids) {
    std::string out;
    for (std::int32_t id : ids)
        out += std::to_string(id) + " ";
    return out;
}

} // namespace tempera::test
