#pragma once

#include "core/base/stop_token.h"

#include <string>
#include <vector>

namespace tempera {

struct ProcessResult {
    int exit_code = -1; ///< -1 where the program could not be started or was ended by a signal
    std::string output; ///< standard output, at most 1 MiB
    std::string errors; ///< standard error, at most 1 MiB
};

/// Runs a program found on PATH and waits for it; no shell, standard input empty. Where `stop` asks, the
/// program is ended and Error(stopped) thrown.
ProcessResult run_program(const std::vector<std::string>& arguments, const StopToken& stop = {});

} // namespace tempera
