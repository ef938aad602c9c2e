#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tempera {

struct UrlParts {
    std::string scheme; ///< "http" or "https"
    std::string host;   ///< lower case, an IPv6 address in brackets
    std::string port;   ///< the default one written out
    bool has_user = false;
};

/// The parts of an http or https URL; nullopt for any other text.
std::optional<UrlParts> parts_of(std::string_view url);

/// Where a Location header leads, seen from `base`; nullopt where it is no http or https URL.
std::optional<std::string> resolved_location(const std::string& base, const std::string& location);

/// RFC 3986 percent-encoding of every byte but letters, digits, "-._~" and those in `kept`.
std::string percent_encoded(std::string_view text, std::string_view kept = "");

} // namespace tempera
