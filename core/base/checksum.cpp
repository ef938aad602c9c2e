#include "core/base/checksum.h"

#include "core/base/error.h"
#include "core/base/files.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>
#include <vector>

namespace tempera {

namespace {

constexpr std::array<std::uint32_t, 256> make_table() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t n = 0; n < 256; ++n) {
        std::uint32_t c = n;
        for (int k = 0; k < 8; ++k)
            c = c & 1 ? 0x82F63B78u ^ (c >> 1) : c >> 1;
        table[n] = c;
    }
    return table;
}

std::uint32_t crc_portable(const unsigned char* data, std::size_t bytes, std::uint32_t crc) {
    static constexpr auto table = make_table();
    for (std::size_t k = 0; k < bytes; ++k)
        crc = table[(crc ^ data[k]) & 0xff] ^ (crc >> 8);
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t crc_sse42(const unsigned char* data, std::size_t bytes,
                                                          std::uint32_t crc) {
    std::uint64_t wide = crc;
    for (; bytes >= 8; bytes -= 8, data += 8) {
        std::uint64_t word;
        std::memcpy(&word, data, 8);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    return crc_portable(data, bytes, static_cast<std::uint32_t>(wide));
}
#endif

} // namespace

std::uint32_t crc32c(const void* data, std::size_t bytes, std::uint32_t seed) {
    auto* bytes_of = static_cast<const unsigned char*>(data);
#if defined(__x86_64__)
    static const bool fast = __builtin_cpu_supports("sse4.2");
    if (fast) return ~crc_sse42(bytes_of, bytes, ~seed);
#endif
    return ~crc_portable(bytes_of, bytes, ~seed);
}

FileSum sum_file(const std::filesystem::path& path) {
    int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) fail_errno("Cannot read", path, errno);
    std::vector<unsigned char> buffer(4u << 20);
    FileSum sum;
    for (;;) {
        ssize_t count = read(fd, buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) {
            int reason = errno;
            close(fd);
            if (count < 0) fail_errno("Cannot read", path, reason);
            return sum;
        }
        sum.crc = crc32c(buffer.data(), static_cast<std::size_t>(count), sum.crc);
        sum.bytes += static_cast<std::uint64_t>(count);
    }
}

} // namespace tempera
