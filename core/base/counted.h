#pragma once

#include <concepts>
#include <cstdint>
#include <cstdio>
#include <string>

namespace tempera {

/// "1 thread", "2 threads": for nouns whose plural takes an s.
std::string counted(std::integral auto count, const std::string& noun) {
    return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

/// "512 bytes", "4.2 kB", "1.3 GB": powers of 1000, as the hub and disks count.
inline std::string byte_words(std::uint64_t bytes) {
    if (bytes < 1000) return counted(bytes, "byte");
    double amount = static_cast<double>(bytes);
    std::size_t unit = 0;
    constexpr const char* units[] = {"kB", "MB", "GB", "TB"};
    for (amount /= 1000; amount >= 999.95 && unit < 3; ++unit)
        amount /= 1000;
    char text[32];
    std::snprintf(text, sizeof text, "%.1f %s", amount, units[unit]);
    return text;
}

} // namespace tempera
