#include "core/base/resources.h"

#include "core/base/error.h"

#include <cstdlib>
#include <dlfcn.h>

namespace fs = std::filesystem;

namespace tempera {

namespace {

fs::path from_environment(const char* name) {
    const char* value = std::getenv(name);
    return value ? fs::path(value) : fs::path();
}

fs::path home_folder() {
    fs::path home = from_environment("HOME");
    if (home.empty())
        fail(ErrorKind::not_found,
             "HOME is not set, so there is no default folder: give one with an option.");
    return home;
}

} // namespace

fs::path resource_folder() {
    if (fs::path given = from_environment("TEMPERA_RESOURCES"); !given.empty()) {
        if (!fs::is_directory(given))
            fail(ErrorKind::not_found,
                 "TEMPERA_RESOURCES names " + given.string() + ", which is not a folder.");
        return given;
    }
    std::error_code ignored;
    Dl_info info{};
    if (dladdr(reinterpret_cast<const void*>(&resource_folder), &info) != 0 && info.dli_fname) {
        fs::path library = fs::weakly_canonical(info.dli_fname, ignored);
        for (const char* place : {"../share/tempera", "../../share/tempera"}) {
            fs::path installed = library.parent_path() / place;
            if (fs::is_directory(installed / "recipes", ignored))
                return fs::weakly_canonical(installed, ignored);
        }
    }
    fs::path built = TEMPERA_RESOURCE_DIR;
    if (fs::is_directory(built, ignored)) return built;
    fail(ErrorKind::not_found,
         "Tempera's resources were not found: set TEMPERA_RESOURCES to the folder that holds recipes/.");
}

fs::path cache_folder() {
    if (fs::path given = from_environment("TEMPERA_CACHE"); !given.empty()) return given;
    if (fs::path given = from_environment("XDG_CACHE_HOME"); !given.empty()) return given / "tempera";
    return home_folder() / ".cache" / "tempera";
}

fs::path config_folder() {
    if (fs::path given = from_environment("TEMPERA_CONFIG"); !given.empty()) return given;
    if (fs::path given = from_environment("XDG_CONFIG_HOME"); !given.empty()) return given / "tempera";
    return home_folder() / ".config" / "tempera";
}

fs::path default_workspace() {
    if (fs::path given = from_environment("TEMPERA_WORKSPACE"); !given.empty()) return given;
    return home_folder() / "tempera";
}

} // namespace tempera
