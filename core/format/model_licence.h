#pragma once

#include <filesystem>
#include <string>

namespace tempera {

/// The licence that a model states, as it states it: "license" in the front matter of a folder's README.md
/// (the hub's name, "apache-2.0"), else the first line of its LICENSE file, else what is known of the package
/// it was imported from; of a GGUF file "general.license".
/// "" where it states none, or where that cannot be read.
std::string licence_of(const std::filesystem::path& model);

} // namespace tempera
