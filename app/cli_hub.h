#pragma once

#include "app/cli_progress.h"
#include "core/net/hub.h"

#include <string>

namespace tempera::cli {

/// Shows a download's progress under `title`; stops it at a signal that a SignalCounter has seen.
HubProgressSink hub_printer(ProgressPrinter& printer, const std::string& title, StopToken stop);

} // namespace tempera::cli
