#include "core/base/content_hash.h"

#include "core/base/error.h"
#include "core/base/files.h"

#include <cerrno>
#include <fstream>
#include <openssl/evp.h>
#include <vector>

namespace tempera {

struct ContentHash::State {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
};

void ContentHash::Free::operator()(State* state) const {
    EVP_MD_CTX_free(state->context);
    delete state;
}

ContentHash::ContentHash(const char* algorithm) : state_(new State) {
    if (EVP_DigestInit_ex(state_->context, EVP_get_digestbyname(algorithm), nullptr) != 1)
        fail(ErrorKind::internal,
             std::string("The OpenSSL of this machine does not offer ") + algorithm + ".");
}

ContentHash ContentHash::sha256() {
    return ContentHash("SHA256");
}

ContentHash ContentHash::git_blob(std::uint64_t size) {
    ContentHash hash("SHA1");
    hash.update("blob " + std::to_string(size) + std::string(1, '\0'));
    return hash;
}

void ContentHash::update(std::span<const std::byte> bytes) {
    EVP_DigestUpdate(state_->context, bytes.data(), bytes.size());
}

std::string ContentHash::hex_digest() {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_DigestFinal_ex(state_->context, digest, &size);
    constexpr const char* digits = "0123456789abcdef";
    std::string hex;
    for (unsigned i = 0; i < size; ++i)
        hex += {digits[digest[i] >> 4], digits[digest[i] & 15]};
    return hex;
}

std::string sha256_hex(std::span<const std::byte> bytes) {
    ContentHash hash = ContentHash::sha256();
    hash.update(bytes);
    return hash.hex_digest();
}

std::string sha256_hex_of_file(const std::filesystem::path& path) {
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    if (!file) fail_errno("Cannot read", path, errno);
    ContentHash hash = ContentHash::sha256();
    std::vector<char> buffer(1 << 20);
    while (file) {
        file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
        hash.update(std::string_view(buffer.data(), static_cast<std::size_t>(file.gcount())));
    }
    if (file.bad()) fail_errno("Cannot read", path, errno);
    return hash.hex_digest();
}

} // namespace tempera
