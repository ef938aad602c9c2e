#pragma once

#include <ATen/ATen.h>
#include <string>

namespace tempera {

/// Prepares this thread for a run: number of OpenMP threads (0 = all cores) and an allocator that keeps large
/// blocks instead of giving them back to the kernel after every tensor. Returns the number of threads.
int prepare_threads(int threads);

/// "cpu" or "cuda". For "cuda" libtorch_cuda is loaded now, if it is there and a driver is. Throws
/// Error(unsupported) saying what is missing.
at::Device select_device(const std::string& name);

/// Resident set of this process, and the largest it ever was.
double memory_gib();
double peak_memory_gib();

} // namespace tempera
