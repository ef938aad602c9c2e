#pragma once

#include "core/data/jsonl.h"

#include <functional>

namespace tempera::cli {

/// Calls `visit` for every row of standard input. Blank lines are skipped but counted. What was written to
/// standard output is flushed before every wait for more input, so that a program on the other end can talk
/// row by row. Throws Error(bad_input) for a line of more than 64 MiB, Error(io); what was written before
/// stays written.
void for_each_row(const std::function<void(const JsonRow&)>& visit);

void write_row(const Json& value);

} // namespace tempera::cli
