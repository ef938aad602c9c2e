#pragma once

#include <filesystem>

namespace tempera {

/// Where the shipped recipes, models and values lie: $TEMPERA_RESOURCES, else ../share/tempera beside the
/// library (installed), else resources/ of the source tree this was built from. Throws Error(not_found) where
/// none of them exists.
std::filesystem::path resource_folder();

/// $TEMPERA_CACHE, else $XDG_CACHE_HOME/tempera, else ~/.cache/tempera. Not created.
std::filesystem::path cache_folder();

/// $TEMPERA_CONFIG, else $XDG_CONFIG_HOME/tempera, else ~/.config/tempera. Not created.
std::filesystem::path config_folder();

/// $TEMPERA_WORKSPACE, else ~/tempera. Not created.
std::filesystem::path default_workspace();

} // namespace tempera
