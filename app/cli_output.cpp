#include "app/cli_output.h"

#include "core/base/error.h"
#include "core/base/files.h"

#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <sys/ioctl.h>
#include <unistd.h>

namespace tempera::cli {

namespace {

constexpr std::size_t buffer_bytes = 64 << 10;
std::string pending; // what write_output collected
bool closed_is_fine = false;

/// False where the other end of the pipe is closed.
bool write_all(int descriptor, std::string_view text) {
    while (!text.empty()) {
        ssize_t count = ::write(descriptor, text.data(), text.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == EPIPE) return false;
        if (count < 0) fail_errno("Cannot write", "standard output", errno);
        text.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

} // namespace

void write_output(std::string_view text) {
    pending += text;
    if (pending.size() >= buffer_bytes) flush_output();
}

void flush_output() {
    std::string text = std::move(pending);
    pending.clear();
    if (write_all(STDOUT_FILENO, text) || closed_is_fine) return;
    // SIGPIPE was ignored by whoever started us, or we would not be here: end as if it had not been.
    std::_Exit(128 + SIGPIPE);
}

void write_error(std::string_view text) {
    while (!text.empty()) {
        ssize_t count = ::write(STDERR_FILENO, text.data(), text.size());
        if (count < 0 && errno != EINTR) return;
        if (count > 0) text.remove_prefix(static_cast<std::size_t>(count));
    }
}

void ignore_closed_output() {
    closed_is_fine = true;
    std::signal(SIGPIPE, SIG_IGN);
}

std::string one_line(std::string_view text) {
    std::string line(text);
    for (char& c : line)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    return line;
}

std::string shell_quoted(const std::string& text) {
    constexpr std::string_view plain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@+,";
    if (!text.empty() && text.find_first_not_of(plain) == std::string::npos) return text;
    std::string quoted = "'";
    for (char c : text)
        quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return quoted + "'";
}

std::string duration_words(double seconds) {
    if (!(seconds >= 0) || seconds > 1e9) return "?";
    auto total = static_cast<long>(std::lround(seconds));
    char text[64];
    if (total >= 86400)
        std::snprintf(text, sizeof text, "%ld d %ld h", total / 86400, total % 86400 / 3600);
    else if (total >= 3600)
        std::snprintf(text, sizeof text, "%ld:%02ld:%02ld", total / 3600, total % 3600 / 60, total % 60);
    else
        std::snprintf(text, sizeof text, "%ld:%02ld", total / 60, total % 60);
    return text;
}

std::string grouped(double number) {
    if (!std::isfinite(number)) return "?";
    std::string digits = std::to_string(std::llround(std::abs(number)));
    for (auto place = static_cast<std::ptrdiff_t>(digits.size()) - 3; place > 0; place -= 3)
        digits.insert(static_cast<std::size_t>(place), ",");
    return (number < -0.5 ? "-" : "") + digits;
}

std::string number_words(double number, int digits) {
    char text[64];
    bool large = std::abs(number) >= 1000
                 && std::abs(number) < 1e15; // all digits before the point, rather than an exponent
    std::snprintf(text, sizeof text, large ? "%.*f" : "%.*g", large ? 0 : digits, number);
    return text;
}

int terminal_columns(int descriptor) {
    if (!isatty(descriptor)) return 0;
    const char* kind = std::getenv("TERM");
    if (kind && std::string_view(kind) == "dumb") return 0;
    winsize size{};
    return ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::size_t text_columns(std::string_view text) {
    std::size_t count = 0;
    for (char c : text)
        count += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    return count;
}

std::string fitted(std::string_view text, std::size_t columns, bool right) {
    std::size_t used = text_columns(text);
    if (used <= columns) {
        std::string blanks(columns - used, ' ');
        return right ? blanks + std::string(text) : std::string(text) + blanks;
    }
    if (columns == 0) return "";
    std::size_t bytes = 0, seen = 0;
    while (bytes < text.size()) {
        bool starts = (static_cast<unsigned char>(text[bytes]) & 0xc0) != 0x80;
        if (starts && seen++ == columns - 1) break;
        ++bytes;
    }
    return std::string(text.substr(0, bytes)) + "…";
}

} // namespace tempera::cli
