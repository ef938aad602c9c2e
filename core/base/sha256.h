#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace tempera {

/// SHA-256 (FIPS 180-4), fed piece by piece.
class Sha256 {
public:
    void update(std::span<const std::byte> bytes);
    /// 64 lower-case hexadecimal digits. Call once.
    std::string hex_digest();

private:
    void compress(const std::byte* block);

    std::array<std::uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    std::array<std::byte, 64> buffer_{};
    std::uint64_t length_ = 0; ///< bytes so far
};

std::string sha256_hex(std::span<const std::byte> bytes);
/// Of a whole file. Throws Error(not_found, io).
std::string sha256_hex_of_file(const std::filesystem::path& path);

} // namespace tempera
