#pragma once

#include <filesystem>
#include <string>

namespace tempera {

/// A library of Tempera that is loaded only when it is needed.
struct LazyLibrary {
    std::filesystem::path path;
    std::string entry; ///< the symbol that it exports: a function without arguments
    std::string what;  ///< what errors call it: "The engine"
};

/// The folder of libtempera_core, where its siblings lie.
std::filesystem::path library_folder();

/// Loads `library` for good and returns its entry. Throws Error(not_found, unsupported) naming it.
void* load_library(const LazyLibrary& library);

} // namespace tempera
