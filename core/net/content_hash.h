#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace tempera {

/// What the hub names a file's content by, fed piece by piece: the SHA-256 of a large file (Git LFS), or
/// Git's own name of a small one, the SHA-1 of "blob SIZE\0" and the content.
class ContentHash {
public:
    static ContentHash sha256();
    static ContentHash git_blob(std::uint64_t size);

    void update(std::string_view bytes);
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

} // namespace tempera
