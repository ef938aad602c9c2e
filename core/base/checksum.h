#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>

namespace tempera {

/// CRC-32C (Castagnoli), as iSCSI and ext4 use it; `seed` is the checksum of what came before.
std::uint32_t crc32c(const void* data, std::size_t bytes, std::uint32_t seed = 0);

struct FileSum {
    std::uint64_t bytes = 0;
    std::uint32_t crc = 0;
};
/// Reads the whole file, some MiB at a time. Throws Error(not_found, io).
FileSum sum_file(const std::filesystem::path& path);

} // namespace tempera
