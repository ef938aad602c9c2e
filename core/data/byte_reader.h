#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace tempera {

/// The bytes of a file one after another, through a buffer.
class ByteReader {
public:
    /// Throws Error(not_found, bad_input) where there is no file or it is a folder, Error(io).
    explicit ByteReader(const std::filesystem::path& path);

    /// The next byte, or -1 at the end. Throws Error(io).
    int get() { return next_ < filled_ || fill() ? static_cast<unsigned char>(buffer_[next_++]) : -1; }
    /// The same, which get() then returns once more.
    int peek() { return next_ < filled_ || fill() ? static_cast<unsigned char>(buffer_[next_]) : -1; }

    /// Of the byte that get() returns next.
    std::uint64_t offset() const { return buffer_at_ + next_; }
    void seek(std::uint64_t offset);
    /// Steps over a UTF-8 byte-order mark at the beginning of the file, where get() has read nothing yet.
    /// Throws Error(bad_input) for one of UTF-16.
    void skip_byte_order_mark();

    const std::filesystem::path& path() const { return path_; }
    /// The file's name without its folder, for errors.
    const std::string& name() const { return name_; }

private:
    bool fill();

    struct Closer {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };
    std::filesystem::path path_;
    std::string name_;
    std::unique_ptr<std::FILE, Closer> file_;
    std::vector<char> buffer_;
    std::uint64_t buffer_at_ = 0; ///< offset of the buffer's first byte
    std::size_t next_ = 0;
    std::size_t filled_ = 0;
};

} // namespace tempera
