#include "core/net/http_url.h"

#include "core/net/http.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <curl/curl.h>
#include <memory>

namespace tempera {

namespace {

using Handle = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

bool set_url(const Handle& handle, std::string_view url) {
    auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
    if (std::any_of(url.begin(), url.end(), is_control)) return false;
    return curl_url_set(handle.get(), CURLUPART_URL, std::string(url).c_str(), 0) == CURLUE_OK;
}

std::string part(const Handle& handle, CURLUPart what, unsigned flags = 0) {
    char* text = nullptr;
    if (curl_url_get(handle.get(), what, &text, flags) != CURLUE_OK) return "";
    std::string copy = text;
    curl_free(text);
    return copy;
}

void lower(std::string& text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
}

} // namespace

std::optional<UrlParts> parts_of(std::string_view url) {
    Handle handle(curl_url(), curl_url_cleanup);
    if (!set_url(handle, url)) return std::nullopt;
    UrlParts parts{part(handle, CURLUPART_SCHEME), part(handle, CURLUPART_HOST),
                   part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT),
                   !part(handle, CURLUPART_USER).empty() || !part(handle, CURLUPART_PASSWORD).empty()};
    lower(parts.scheme);
    lower(parts.host);
    if ((parts.scheme != "http" && parts.scheme != "https") || parts.host.empty()) return std::nullopt;
    return parts;
}

std::optional<std::string> resolved_location(const std::string& base, const std::string& location) {
    Handle handle(curl_url(), curl_url_cleanup);
    if (!set_url(handle, base) || !set_url(handle, location)) return std::nullopt;
    std::string url = part(handle, CURLUPART_URL);
    return parts_of(url) ? std::optional(url) : std::nullopt;
}

std::string percent_encoded(std::string_view text, std::string_view kept) {
    constexpr const char* digits = "0123456789ABCDEF";
    std::string encoded;
    for (unsigned char c : text) {
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
                     || std::strchr("-._~", c) || kept.find(static_cast<char>(c)) != std::string_view::npos;
        if (plain && c != 0)
            encoded += static_cast<char>(c);
        else
            encoded += {'%', digits[c >> 4], digits[c & 15]};
    }
    return encoded;
}

std::optional<std::string> origin_of(std::string_view url) {
    auto parts = parts_of(url);
    if (!parts) return std::nullopt;
    return parts->scheme + "://" + parts->host + ":" + parts->port;
}

bool is_loopback(std::string_view url) {
    auto parts = parts_of(url);
    if (!parts) return false;
    if (parts->host == "localhost") return true;
    in_addr four{};
    if (inet_pton(AF_INET, parts->host.c_str(), &four) == 1) return ntohl(four.s_addr) >> 24 == 127;
    if (!parts->host.starts_with('[')) return false;
    in6_addr six{};
    const std::string inner = parts->host.substr(1, parts->host.size() - 2);
    return inet_pton(AF_INET6, inner.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

} // namespace tempera
