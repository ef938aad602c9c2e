#pragma once

#include "ui/feed_types.h"

namespace tempera {

/// Reads the machine's load from /proc.
class SystemLoadReader {
public:
    SystemLoad read();

private:
    unsigned long long busy_ = 0;
    unsigned long long total_ = 0;
};

} // namespace tempera
