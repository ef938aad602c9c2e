#pragma once

#include <concepts>
#include <string>

namespace tempera {

/// "1 thread", "2 threads": for nouns whose plural takes an s.
std::string counted(std::integral auto count, const std::string& noun) {
    return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

} // namespace tempera
