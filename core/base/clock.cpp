#include "core/base/clock.h"

#include <cstdlib>
#include <ctime>

namespace tempera {

namespace {

std::tm local_parts(std::time_t time) {
    std::tm parts{};
    localtime_r(&time, &parts);
    return parts;
}

std::string formatted(const char* format, const std::tm& parts) {
    char text[64];
    return {text, std::strftime(text, sizeof text, format, &parts)};
}

} // namespace

std::string local_time(std::int64_t unix_ms) {
    return formatted("%F %H:%M", local_parts(unix_ms / 1000));
}

std::string clock_words(std::int64_t unix_seconds) {
    const std::time_t now = std::time(nullptr);
    const std::tm today = local_parts(now), day = local_parts(unix_seconds);
    if (today.tm_yday == day.tm_yday && today.tm_year == day.tm_year) return formatted("%H:%M", day);
    return formatted(std::abs(unix_seconds - now) < 6 * 86400 ? "%a %H:%M" : "%F %H:%M", day);
}

std::string clock_after(double seconds) {
    return clock_words(std::time(nullptr) + static_cast<std::time_t>(seconds));
}

std::string phase_or_wait(const char* usual, std::int64_t unix_seconds) {
    return unix_seconds > 0 ? "waiting until " + clock_words(unix_seconds) : usual;
}

} // namespace tempera
