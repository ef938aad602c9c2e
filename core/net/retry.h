#pragma once

#include "core/net/http.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace tempera {

/// When to ask again, as openai-python does (src/openai/_base_client.py, 3.54).
struct RetryRules {
    int retries = 2;
    double first_delay = 0.5;  ///< seconds; doubles with every retry
    double longest_delay = 8;  ///< of our own back-off
    double longest_wait = 120; ///< that a server may ask for; beyond it the request is given up
};

/// What an answer with a status asks for. Headers win over the status: x-should-retry "true" or "false".
/// Else 408, 409, 429 and 5xx are asked again.
bool should_retry(int status, const HttpHeaders& headers);

/// Seconds that the server asks to wait: retry-after-ms, else Retry-After in seconds (a float will do) or as
/// an HTTP date against `now` (Unix seconds). nullopt where it says nothing that can be read: no header, NaN,
/// infinity, another text. May be negative (a past date).
std::optional<double> asked_wait(const HttpHeaders& headers, double now);

/// Seconds to wait before retry number `retry` (0 = the first): the server's wish where it is above 0 and at
/// most longest_wait, else the back-off first_delay * 2^retry, at most longest_delay, times 1 - 0.25 * `dice`
/// (in [0, 1)).
double retry_delay(const RetryRules& rules, int retry, std::optional<double> asked, double dice);

/// Unix seconds of an HTTP date in its three forms (RFC 9110 5.6.7), e.g. "Sun, 06 Nov 1994 08:49:37 GMT".
std::optional<double> parse_http_date(std::string_view text);

} // namespace tempera
