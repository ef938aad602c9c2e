#include "ui/system_load.h"

#include <fstream>
#include <sstream>
#include <unistd.h>

namespace tempera {

SystemLoad SystemLoadReader::read() {
    SystemLoad load;
    std::string word;
    if (std::ifstream stat("/proc/stat"); stat >> word) {
        unsigned long long value = 0;
        unsigned long long total = 0;
        unsigned long long idle = 0;
        for (int column = 0; column < 8 && stat >> value; ++column) {
            total += value;
            if (column == 3 || column == 4) idle += value; // idle and waiting for a disk
        }
        const unsigned long long busy = total - idle;
        if (total > total_ && total_ > 0) load.cpu_share = double(busy - busy_) / double(total - total_);
        busy_ = busy;
        total_ = total;
    }
    constexpr double gib = 1024.0 * 1024 * 1024;
    if (std::ifstream statm("/proc/self/statm"); statm) {
        unsigned long long size = 0;
        unsigned long long resident = 0;
        if (statm >> size >> resident)
            load.process_gib = double(resident) * double(sysconf(_SC_PAGESIZE)) / gib;
    }
    std::ifstream memory("/proc/meminfo");
    for (std::string line; std::getline(memory, line);)
        if (unsigned long long kib = 0; std::istringstream(line) >> word >> kib && word == "MemTotal:") {
            load.total_gib = double(kib) / (1024.0 * 1024);
            break;
        }
    return load;
}

} // namespace tempera
