#include "tests/support/paths.h"

std::string source_dir() {
    return TEMPERA_SOURCE_DIR;
}

std::string binary_dir() {
    return TEMPERA_BINARY_DIR;
}
