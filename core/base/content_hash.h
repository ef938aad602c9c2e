#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace tempera {

/// What files and caches are named by, fed piece by piece: SHA-256, which is also the hub's name of a large
/// file (Git LFS), or Git's own name of a small one, the SHA-1 of "blob SIZE\0" and the content.
class ContentHash {
public:
    static ContentHash sha256();
    static ContentHash git_blob(std::uint64_t size);

    void update(std::span<const std::byte> bytes);
    void update(std::string_view text) { update(std::as_bytes(std::span(text))); }
    /// A list of numbers, or a text, with its length before it: two lists never read as one.
    template <class List>
    void update_list(const List& list) {
        const std::uint64_t length = std::size(list);
        update(std::as_bytes(std::span(&length, 1)));
        update(std::as_bytes(std::span(list)));
    }
    /// Lower-case hexadecimal digits. Call once.
    std::string hex_digest();

private:
    struct State;
    struct Free {
        void operator()(State* state) const;
    };
    explicit ContentHash(const char* algorithm);
    std::unique_ptr<State, Free> state_;
};

std::string sha256_hex(std::span<const std::byte> bytes);
inline std::string sha256_hex(std::string_view text) {
    return sha256_hex(std::as_bytes(std::span(text)));
}
/// Of a whole file. Throws Error(not_found, io).
std::string sha256_hex_of_file(const std::filesystem::path& path);

} // namespace tempera
