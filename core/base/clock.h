#pragma once

#include <cstdint>
#include <string>

namespace tempera {

/// "2026-11-23 14:32" in local time, of a Unix time in milliseconds.
std::string local_time(std::int64_t unix_ms);
/// The local clock time: "14:32", or "Tue 14:32" and "2026-11-23 14:32" when that is another day.
std::string clock_words(std::int64_t unix_seconds);
/// The same that many seconds from now.
std::string clock_after(double seconds);

/// What a run's progress says it does: as given, or "waiting until 14:32" while a server makes it wait until
/// `unix_seconds`; 0 = it does not.
std::string phase_or_wait(const char* usual, std::int64_t unix_seconds);

} // namespace tempera
