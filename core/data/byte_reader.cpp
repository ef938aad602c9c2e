#include "core/data/byte_reader.h"

#include "core/base/error.h"
#include "core/base/files.h"

#include <cerrno>
#include <system_error>

namespace tempera {

namespace {

constexpr std::size_t buffer_size = 1u << 16;

} // namespace

ByteReader::ByteReader(const std::filesystem::path& path) : path_(path), name_(path.filename().string()) {
    std::error_code error;
    auto status = std::filesystem::status(path, error);
    if (!std::filesystem::exists(status))
        fail(ErrorKind::not_found, "There is no file " + path.string() + ".");
    if (std::filesystem::is_directory(status))
        fail(ErrorKind::bad_input, path.string() + " is a folder; a file is expected.");
    file_.reset(std::fopen(path.c_str(), "rb"));
    if (!file_) fail(ErrorKind::io, "Cannot open " + path.string() + " for reading; check its permissions.");
    std::setvbuf(file_.get(), nullptr, _IONBF, 0); // the buffer is ours
    buffer_.resize(buffer_size);
}

bool ByteReader::fill() {
    buffer_at_ += filled_;
    next_ = 0;
    filled_ = std::fread(buffer_.data(), 1, buffer_.size(), file_.get());
    if (filled_ == 0 && std::ferror(file_.get())) fail_errno("Cannot read", path_, errno);
    return filled_ > 0;
}

void ByteReader::skip_byte_order_mark() {
    const int first = get(), second = get();
    if ((first == 0xFF && second == 0xFE) || (first == 0xFE && second == 0xFF))
        fail(ErrorKind::bad_input, name_ + " is UTF-16 text: save it as UTF-8.");
    if (first != 0xEF || second != 0xBB || get() != 0xBF) seek(0);
}

void ByteReader::seek(std::uint64_t offset) {
    if (::fseeko(file_.get(), static_cast<off_t>(offset), SEEK_SET) != 0)
        fail_errno("Cannot read", path_, errno);
    buffer_at_ = offset;
    next_ = filled_ = 0;
}

} // namespace tempera
