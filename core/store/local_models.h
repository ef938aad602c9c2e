#pragma once

#include "core/net/hub_name.h"
#include "core/net/hub_settings.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tempera {

/// A model on this machine, or one that a package brings at its first use.
struct LocalModel {
    enum class Source {
        shipped, ///< resources/models
        package, ///< goes by a name, imported from a PyPI package into the cache
        cached,  ///< a GGUF file's import in the cache
        kept,    ///< in the workspace's models/ folder
        hub,     ///< in the hub's cache, whoever fetched it
        folder,  ///< anywhere else
        run      ///< what a run of the workspace left
    };
    Source source = Source::folder;
    std::string reference;      ///< what a recipe's model field takes
    std::string name;           ///< for people
    std::filesystem::path path; ///< the folder or GGUF file; that of a package not fetched yet does not exist
    bool present = true;
    std::uint64_t bytes = 0; ///< of all files; of a package not fetched yet, of the download
    std::string copy = {};   ///< of the hub: which commit, from when (words_of_copy())
};

/// Where to look.
struct LocalModelPlaces {
    struct RunResult {
        std::string id, title;
        std::filesystem::path folder; ///< the run's
    };
    std::vector<RunResult> runs; ///< those without a model are passed over
    std::filesystem::path workspace;
    std::vector<std::filesystem::path> folders; ///< models anywhere, GGUF files too
    HubSettings hub;                            ///< whose cache is looked through; an empty path = none
};

/// All of them: by source, then by name; runs in the order given. Folders that cannot be read are passed
/// over. Reads names and sizes only: describe_model() says the rest.
std::vector<LocalModel> local_models(const LocalModelPlaces& places);

/// A repository in the hub's cache.
struct CachedRepository {
    std::string name; ///< as data and model fields take it
    std::filesystem::path path;
    std::string copy; ///< which commit, from when (words_of_copy())

    bool operator==(const CachedRepository&) const = default;
};

/// Those that are whole, by name.
std::vector<CachedRepository> cached_repositories(const HubSettings& hub, HubKind kind);

/// The workspace's folder for models that were imported, merged or copied into it.
std::filesystem::path kept_models_folder(const std::filesystem::path& workspace);

/// Bytes of the files in `path`, links followed; of a file its own.
std::uint64_t size_on_disk(const std::filesystem::path& path);

/// Whether it is a folder with config.json or adapter_config.json, or a GGUF file.
bool is_model(const std::filesystem::path& path);

} // namespace tempera
