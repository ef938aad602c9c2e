#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tempera::cli {

/// Standard output, buffered; it is written when 64 KiB came together and by flush_output().
/// Throws Error(io, disk_full) where it cannot be written. Where the reader closed the pipe, the program ends
/// as others do (SIGPIPE), or after ignore_closed_output() goes on silently.
void write_output(std::string_view text);
void flush_output();

/// Standard error, at once. Never fails.
void write_error(std::string_view text);

/// A training run must not die because someone looked at its first lines with `head`.
void ignore_closed_output();

/// Line breaks and control characters become spaces, so that a message stays one line whatever a file name
/// holds.
std::string one_line(std::string_view text);

/// As a shell reads it back: in single quotes where it holds anything special.
std::string shell_quoted(const std::string& text);

/// "0:42", "12:05", "1:02:03", "3 d 4 h"; "?" for a negative number.
std::string duration_words(double seconds);
/// "1,234,567".
std::string grouped(double number);
/// As short as it stays readable: "0.37", "1.2e-05".
std::string number_words(double number, int digits = 4);

/// Columns of the terminal `descriptor` writes to, 0 where it is none.
int terminal_columns(int descriptor);

/// How many columns a text fills: its code points (wide letters count 1).
std::size_t text_columns(std::string_view text);
/// Padded with blanks to `columns`, or cut with an ellipsis.
std::string fitted(std::string_view text, std::size_t columns, bool right = false);

} // namespace tempera::cli
