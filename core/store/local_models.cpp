#include "core/store/local_models.h"

#include "core/base/error.h"
#include "core/base/resources.h"
#include "core/format/package_model.h"
#include "core/net/hub.h"
#include "core/recipe/catalogue.h"
#include "core/store/hub_reference.h"

#include <algorithm>
#include <set>

namespace fs = std::filesystem;

namespace tempera {

namespace {

LocalModel model_at(LocalModel::Source source, const fs::path& path) {
    return {source, path.string(), path.filename().string(), path, true, size_on_disk(path)};
}

LocalModel named_model(const std::string& name, const fs::path& shipped, const fs::path& cached) {
    if (is_model(shipped / name)) {
        LocalModel model = model_at(LocalModel::Source::shipped, shipped / name);
        model.reference = name;
        return model;
    }
    LocalModel model{LocalModel::Source::package, name, name, cached / name, is_model(cached / name), 0};
    if (model.present) {
        model.bytes = size_on_disk(model.path);
        return model;
    }
    for (const PackageModel& package : package_models())
        if (package.name == name) model.bytes = static_cast<std::uint64_t>(package.megabytes) * 1000 * 1000;
    return model;
}

/// The models that are entries of `folder`, by name.
void add_entries(LocalModel::Source source, const fs::path& folder, const std::set<std::string>& known,
                 std::vector<LocalModel>& models) {
    std::vector<fs::path> found;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        const bool whole = !name.starts_with('.') && name.find(".tmp-") == std::string::npos;
        if (whole && !known.contains(name) && is_model(entry->path())) found.push_back(entry->path());
    }
    std::sort(found.begin(), found.end());
    for (const fs::path& path : found)
        models.push_back(model_at(source, path));
}

} // namespace

std::vector<LocalModel> local_models(const LocalModelPlaces& places) {
    const fs::path cached = cache_folder() / "models";
    std::vector<LocalModel> models;
    std::set<std::string> named;
    for (const std::string& name : named_models()) {
        models.push_back(named_model(name, resource_folder() / "models", cached));
        named.insert(name);
    }
    add_entries(LocalModel::Source::cached, cached, named, models);
    add_entries(LocalModel::Source::kept, kept_models_folder(places.workspace), {}, models);
    for (const CachedRepository& cached : cached_repositories(places.hub, HubKind::model)) {
        LocalModel model = model_at(LocalModel::Source::hub, cached.path);
        model.reference = model.name = cached.name;
        model.copy = cached.copy;
        models.push_back(std::move(model));
    }
    for (const fs::path& folder : places.folders)
        if (is_model(folder)) models.push_back(model_at(LocalModel::Source::folder, folder));
    std::stable_sort(models.begin(), models.end(), [](const LocalModel& left, const LocalModel& right) {
        return left.source < right.source;
    });
    for (const LocalModelPlaces::RunResult& run : places.runs) {
        if (!is_model(run.folder / "model")) continue;
        LocalModel model = model_at(LocalModel::Source::run, run.folder / "model");
        model.reference = "run:" + run.id;
        model.name = run.title;
        models.push_back(std::move(model));
    }
    return models;
}

std::vector<CachedRepository> cached_repositories(const HubSettings& hub, HubKind kind) {
    std::vector<CachedRepository> found;
    const std::string prefix = kind == HubKind::model ? "models--" : "datasets--";
    std::error_code error;
    if (hub.cache.empty()) return found;
    for (fs::directory_iterator entry(hub.cache, error), end; !error && entry != end;
         entry.increment(error)) {
        std::string name = entry->path().filename().string(); // models--OWNER--NAME
        if (!name.starts_with(prefix)) continue;
        name.erase(0, prefix.size());
        const std::size_t middle = name.find("--");
        if (middle == std::string::npos) continue;
        name.replace(middle, 2, "/");
        const auto parsed = parse_hub_name(name, kind);
        if (!parsed) continue;
        try {
            if (fs::path path = cached_hub(hub, *parsed); !path.empty())
                found.push_back({name, path, words_of_copy(hub, *parsed)});
        } catch (const Error&) { // what is of no use here is no repository of ours
        }
    }
    std::sort(found.begin(), found.end(), [](const CachedRepository& left, const CachedRepository& right) {
        return left.name < right.name;
    });
    return found;
}

fs::path kept_models_folder(const fs::path& workspace) {
    return workspace / "models";
}

std::uint64_t size_on_disk(const fs::path& path) {
    std::error_code error;
    if (!fs::is_directory(path, error)) {
        const std::uintmax_t size = fs::file_size(path, error);
        return error ? 0 : size;
    }
    std::uint64_t bytes = 0;
    for (fs::recursive_directory_iterator entry(path, error), end; !error && entry != end;
         entry.increment(error)) {
        std::error_code unreadable;
        const std::uintmax_t size = entry->is_regular_file(unreadable) ? entry->file_size(unreadable) : 0;
        if (!unreadable) bytes += size;
    }
    return bytes;
}

bool is_model(const fs::path& path) {
    std::error_code ignored;
    if (path.extension() == ".gguf" && fs::is_regular_file(path, ignored)) return true;
    return fs::is_regular_file(path / "config.json", ignored)
           || fs::is_regular_file(path / "adapter_config.json", ignored);
}

} // namespace tempera
