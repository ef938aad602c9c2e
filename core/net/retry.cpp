#include "core/net/retry.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <curl/curl.h>
#include <limits>
#include <string>

namespace tempera {

namespace {

std::string trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == text.npos) return "";
    return std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

/// As Python's float() reads it, without its underscores. A number beyond what a double holds is the largest
/// one: a very long wait, not the infinity that a server may also spell.
std::optional<double> number_in(std::string_view header) {
    std::string text = trimmed(header);
    if (text.starts_with('+')) text.erase(0, 1);
    if (text.starts_with('+') || text.find('(') != text.npos) return std::nullopt;
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (end != text.data() + text.size() || error == std::errc::invalid_argument) return std::nullopt;
    if (error == std::errc::result_out_of_range) {
        const bool tiny = text.find("e-") != text.npos || text.find("E-") != text.npos;
        if (tiny) return 0;
        return text.starts_with('-') ? std::numeric_limits<double>::lowest()
                                     : std::numeric_limits<double>::max();
    }
    return value;
}

} // namespace

bool should_retry(int status, const HttpHeaders& headers) {
    if (auto wish = find_header(headers, "x-should-retry")) {
        if (*wish == "true") return true;
        if (*wish == "false") return false;
    }
    return status == 408 || status == 409 || status == 429 || status >= 500;
}

std::optional<double> asked_wait(const HttpHeaders& headers, double now) {
    for (const auto& [name, divisor] : {std::pair("retry-after-ms", 1000.0), std::pair("retry-after", 1.0)}) {
        const auto header = find_header(headers, name);
        if (!header) continue;
        const auto value = number_in(*header);
        if (!value) continue;
        if (!std::isfinite(*value)) return std::nullopt; // a wish that is none
        return *value / divisor;
    }
    const auto header = find_header(headers, "retry-after");
    const auto date = header ? parse_http_date(*header) : std::nullopt;
    if (!date) return std::nullopt;
    return *date - now;
}

double retry_delay(const RetryRules& rules, int retry, std::optional<double> asked, double dice) {
    if (asked && *asked > 0 && *asked <= rules.longest_wait) return *asked;
    const double doubled = rules.first_delay * std::pow(2.0, std::clamp(retry, 0, 1000));
    return std::min(doubled, rules.longest_delay) * (1 - 0.25 * dice);
}

std::optional<double> parse_http_date(std::string_view text) {
    const std::string whole = trimmed(text);
    // curl_getdate() reads half a date as well, and takes today's for the other half.
    if (std::ranges::count_if(whole, [](unsigned char c) { return std::isdigit(c); }) < 8
        || whole.find(':') == whole.npos)
        return std::nullopt;
    const time_t seconds = curl_getdate(whole.c_str(), nullptr);
    if (seconds == -1) return std::nullopt;
    return static_cast<double>(seconds);
}

} // namespace tempera
