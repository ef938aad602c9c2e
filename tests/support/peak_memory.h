#pragma once

#include <sys/resource.h>

namespace tempera::test {

/// The most that this program has ever held in memory.
inline long peak_memory_mib() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss / 1024;
}

} // namespace tempera::test
