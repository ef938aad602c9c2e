#include "core/store/model_reference.h"

#include "core/base/content_hash.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/resources.h"
#include "core/base/suggest.h"
#include "core/format/gguf_import.h"
#include "core/format/package_model.h"
#include "core/net/endpoint.h"
#include "core/recipe/catalogue.h"
#include "core/recipe/study.h"

#include <algorithm>
#include <cerrno>
#include <span>
#include <sys/stat.h>

namespace fs = std::filesystem;

namespace tempera {

namespace {

constexpr std::string_view run_prefix = "run:";

bool is_named(const std::string& reference) {
    const auto& names = named_models();
    return std::find(names.begin(), names.end(), reference) != names.end();
}

bool holds_model(const fs::path& folder) {
    std::error_code ignored;
    return fs::is_regular_file(folder / "config.json", ignored)
           || fs::is_regular_file(folder / "adapter_config.json", ignored);
}

bool is_gguf(const fs::path& path) {
    std::error_code ignored;
    return path.extension() == ".gguf" && fs::is_regular_file(path, ignored);
}

/// The folder that a GGUF file is imported into at its first use: the cache, by the file's place, size and
/// time.
fs::path imported_gguf(const fs::path& file) {
    struct stat status {};
    if (stat(file.c_str(), &status) != 0) fail_errno("Cannot read", file, errno);
    std::string stamp = file.string() + " " + std::to_string(status.st_size) + " "
                        + std::to_string(status.st_mtim.tv_sec) + "."
                        + std::to_string(status.st_mtim.tv_nsec);
    std::string hash = sha256_hex(stamp).substr(0, 12);
    fs::path folder = cache_folder() / "models" / (file.stem().string() + "-" + hash);
    if (!holds_model(folder)) {
        GgufImportOptions options;
        options.replace = true; // another process may have been faster
        import_gguf(file, folder, options);
    }
    return folder;
}

void require_model(const fs::path& path) {
    if (!is_gguf(path) && !holds_model(path))
        fail(ErrorKind::bad_input, path.string()
                                       + " is not a model folder: it holds neither config.json nor "
                                         "adapter_config.json.");
}

/// Where the path leads; it exists and is a model's folder or a GGUF file.
fs::path existing_model(const std::string& reference) {
    std::error_code ignored;
    fs::path path = fs::absolute(reference, ignored).lexically_normal();
    if (!fs::exists(path, ignored)) {
        std::string known;
        for (const auto& name : named_models())
            known += name + ", ";
        fail(ErrorKind::not_found, "There is no model \"" + reference + "\": give one of " + known
                                       + "run:ID for the result of a run, the path of a folder or GGUF file, "
                                         "or OWNER/NAME of the hub."
                                       + did_you_mean(reference, named_models()));
    }
    require_model(path);
    return path;
}

fs::path hub_model(const HubName& name, const HubAccess* access) {
    fs::path path = resolve_repository(name, access);
    require_model(path);
    return path;
}

RunRecord stage_run(const std::string& stage, const ModelScope& scope) {
    if (!scope.workspace || scope.study.empty())
        fail(ErrorKind::not_found, "\"@" + stage + "\" names a stage, but this run is not part of a study.");
    std::vector<std::string> names;
    std::optional<RunRecord> found;
    for (auto& record : scope.workspace->runs()) {
        if (record.study != scope.study) continue;
        names.push_back(record.stage);
        if (record.stage == stage) found = std::move(record);
    }
    if (!found)
        fail(ErrorKind::not_found, "This study has no run of stage \"" + stage
                                       + "\"; it may have been deleted." + did_you_mean(stage, names));
    return *found;
}

fs::path result_of(const RunRecord& record, const Workspace& workspace) {
    fs::path folder = workspace.run_folder(record.id) / "model";
    if (!holds_model(folder))
        fail(ErrorKind::not_found, "Run " + record.id + " (" + name_of(record.status)
                                       + ") has left no model in its folder; let it finish first.");
    return folder;
}

fs::path named_model(const std::string& name) {
    fs::path shipped = resource_folder() / "models" / name;
    if (holds_model(shipped)) return shipped;
    for (const auto& model : package_models())
        if (model.name == name) return cached_package_model(name);
    fail(ErrorKind::not_found, "The model \"" + name + "\" is missing from " + shipped.parent_path().string()
                                   + ": it comes with Tempera, install it again.");
}

} // namespace

std::optional<RunRecord> referred_run(const std::string& reference, const ModelScope& scope) {
    if (reference.starts_with('@')) return stage_run(referred_stage(reference), scope);
    if (!reference.starts_with(run_prefix)) return std::nullopt;
    if (!scope.workspace)
        fail(ErrorKind::not_found, "\"" + reference + "\" names a run, but no workspace is open; give one.");
    return scope.workspace->require_run(reference.substr(run_prefix.size()));
}

fs::path resolve_model(const std::string& reference, const ModelScope& scope) {
    if (names_an_endpoint(reference))
        fail(ErrorKind::bad_input, "\"" + reference
                                       + "\" is an endpoint, which gives texts but no weights: only sweeps, "
                                         "win-rates and pairs can draw from one.");
    if (auto record = referred_run(reference, scope)) return result_of(*record, *scope.workspace);
    if (is_named(reference)) return named_model(reference);
    const auto repository = referred_repository(reference, HubKind::model);
    fs::path path = repository ? hub_model(*repository, scope.hub) : existing_model(reference);
    return is_gguf(path) ? imported_gguf(path) : path;
}

void check_model_reference(const std::string& reference, const ModelScope& scope) {
    if (names_an_endpoint(reference)) return void(referred_endpoint(reference));
    if (is_named(reference) || referred_run(reference, scope)) return;
    if (auto repository = referred_repository(reference, HubKind::model))
        return check_repository(*repository);
    existing_model(reference);
}

} // namespace tempera
