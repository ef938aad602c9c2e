#pragma once

#include "core/base/error.h"
#include "core/format/safetensors.h"

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

namespace tempera::test {

/// The sentence of the Error that `action` throws; empty where it throws none.
template <typename Action>
std::string refusal(Action action) {
    try {
        action();
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

inline std::vector<float> floats(const SafetensorsReader& reader, const std::string& name) {
    std::vector<float> values(static_cast<std::size_t>(reader.at(name).elements()));
    reader.read_f32(name, values);
    return values;
}

/// Writes a file anew, without the fsync of the real ones. The old one goes first: cutting it to zero makes
/// ext4 write it to the disk at once, which is slow.
inline void put_file(const std::filesystem::path& path, const std::string& content) {
    std::filesystem::remove(path);
    FILE* file = fopen(path.c_str(), "wb");
    fwrite(content.data(), 1, content.size(), file);
    fclose(file);
}

} // namespace tempera::test
