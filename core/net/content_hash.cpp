#include "core/net/content_hash.h"

#include "core/base/error.h"

#include <openssl/evp.h>

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

void ContentHash::update(std::string_view bytes) {
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

} // namespace tempera
