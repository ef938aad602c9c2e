#pragma once

#include <filesystem>

namespace tempera {

/// Fills the run folder `to` with the results of the finished run in `from`: run.db, model/ and artifacts/.
/// Files share their disk blocks where the disk allows it (hard links; results are never changed in place),
/// so that a copy costs nothing and deleting either run leaves the other whole. Throws Error(io, disk_full).
void copy_run_results(const std::filesystem::path& from, const std::filesystem::path& to);

} // namespace tempera
