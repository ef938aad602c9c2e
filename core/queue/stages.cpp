#include "core/queue/stages.h"

#include "core/base/content_hash.h"
#include "core/base/error.h"
#include "core/data/data_files.h"
#include "core/net/endpoint.h"
#include "core/queue/engine.h"
#include "core/recipe/field.h"
#include "core/recipe/study.h"
#include "core/store/data_reference.h"
#include "core/store/model_reference.h"

#include <algorithm>
#include <span>
#include <sys/stat.h>

namespace fs = std::filesystem;

namespace tempera {

namespace {

std::string text_at(const Json& recipe, const std::string& name) {
    auto found = recipe.find(name);
    return found != recipe.end() && found->is_string() ? found->get<std::string>() : "";
}

/// Calls visit(field, text) for every field of that type that is set.
template <typename Visit>
void for_each_field(const Json& recipe, Field::Type type, Visit&& visit) {
    for (const auto& field : recipe_kind(text_at(recipe, "kind")).fields)
        if (std::string text = text_at(recipe, field.name); field.type == type && !text.empty())
            visit(field, text);
}

/// Calls visit(field, text, run) for every model and data field that is set; `run` is the one that it refers
/// to, if it does.
template <typename Visit>
void for_each_input(const Json& recipe, const ModelScope& scope, Visit&& visit) {
    for_each_field(recipe, Field::Type::model, [&](const Field& field, const std::string& text) {
        visit(field, text, referred_run(text, scope));
    });
    for_each_field(recipe, Field::Type::data_file, [&](const Field& field, const std::string& text) {
        visit(field, text, referred_data_run(text, scope));
    });
}

/// A run folder may have come from elsewhere: its recipe is checked again.
Json recipe_of(const RunRecord& record) {
    Json recipe = parse_json(record.recipe, "The recipe of run " + record.id);
    if (!recipe.is_object())
        fail(ErrorKind::bad_input, "The recipe of run " + record.id + " is not a JSON object.");
    return recipe;
}

/// SHA-256 of a list of texts.
class Hash {
public:
    void add(const std::string& text) {
        std::string entry = std::to_string(text.size()) + ":" + text; // no two lists run together
        sha_.update(entry);
    }
    std::string hex() { return sha_.hex_digest(); }

private:
    ContentHash sha_ = ContentHash::sha256();
};

std::string stamp_of(const fs::path& path) {
    struct stat status {};
    if (stat(path.c_str(), &status) != 0) return "absent";
    return std::to_string(status.st_size) + " " + std::to_string(status.st_mtim.tv_sec) + "."
           + std::to_string(status.st_mtim.tv_nsec);
}

/// A file, or every file of a folder, by name, size and time.
void add_files(Hash& hash, const fs::path& path) {
    hash.add(path.string());
    std::error_code error;
    if (!fs::is_directory(path, error)) return hash.add(stamp_of(path));
    std::vector<std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(path, error))
        if (entry.is_regular_file(error))
            files.push_back(entry.path().string() + " " + stamp_of(entry.path()));
    std::sort(files.begin(), files.end());
    for (const auto& file : files)
        hash.add(file);
}

} // namespace

Readiness readiness_of(const RunRecord& record, const Workspace& workspace) {
    Readiness result;
    ModelScope scope{&workspace, record.study};
    try {
        for_each_input(recipe_of(record), scope, [&](const Field&, const std::string&, const auto& input) {
            if (!input || input->status == RunStatus::finished || !result.reason.empty()) return;
            result.ready = false;
            bool coming = input->status == RunStatus::queued || input->status == RunStatus::running
                          || input->status == RunStatus::stopping;
            std::string what = input->stage.empty() ? "run " + input->id : "stage \"" + input->stage + "\"";
            std::string was =
                input->status == RunStatus::failed ? "failed" : std::string("is ") + name_of(input->status);
            if (!coming)
                result.reason = "Waits for " + what + ", which " + was + ": resume that run (" + input->id
                                + ") to go on.";
            else if (!input->error.empty() && input->status == RunStatus::queued)
                result.reason = "Waits for " + what + ", which cannot start: " + input->error;
        });
    } catch (const Error& error) {
        result = {false, error.what()};
    }
    return result;
}

Json resolved_recipe(const RunRecord& record, const Workspace& workspace, const HubAccess* hub) {
    Json recipe = complete_recipe(recipe_of(record));
    ModelScope scope{&workspace, record.study, hub};
    for_each_field(recipe, Field::Type::model, [&](const Field& field, const std::string& reference) {
        if (names_an_endpoint(reference))
            referred_endpoint(reference); // it exists and names a model
        else
            recipe[field.name] = resolve_model(reference, scope).string();
    });
    for_each_field(recipe, Field::Type::data_file, [&](const Field& field, const std::string& reference) {
        recipe[field.name] = resolve_data(reference, scope).string();
    });
    return recipe;
}

std::string fingerprint_of(const RunRecord& record, const Json& resolved, const Workspace& workspace) {
    Hash hash;
    // Another build may train, sample or judge otherwise.
    add_files(hash, engine_library());
    add_files(hash, engine_library().parent_path() / "libtempera_core.so");
    Json rest = resolved;
    ModelScope scope{&workspace, record.study};
    for (const char* name : {"name", "title", "about", "paper"})
        rest.erase(name);
    for_each_input(
        recipe_of(record), scope, [&](const Field& field, const std::string& text, const auto& input) {
            const bool data = field.type == Field::Type::data_file;
            hash.add(field.name);
            if (input) {
                std::string known = workspace.fingerprint(input->id);
                hash.add(known.empty() ? input->id + " " + std::to_string(input->ended_ms) : known);
                if (data) hash.add(fs::path(resolved.at(field.name).get<std::string>()).filename());
            } else if (names_an_endpoint(text)) {
                hash.add(text + " " + to_json_line(to_json(referred_endpoint(text))));
            } else if (!data || text.find('/') != std::string::npos) { // else a generator's name
                const auto path = resolved.at(field.name).get<std::string>();
                add_files(hash, data ? data_path_of(path).path : fs::path(path));
            }
            if (input || !data) rest.erase(field.name);
        });
    hash.add(to_json_line(rest)); // nlohmann keeps keys sorted
    return hash.hex();
}

std::optional<RunRecord> reusable_run(const RunRecord& record, const std::string& fingerprint,
                                      const Workspace& workspace) {
    if (record.study.empty()) return std::nullopt; // a run that was asked for by itself is meant to run
    auto found = workspace.finished_run_with(fingerprint);
    if (!found || found->id == record.id) return std::nullopt;
    fs::path folder = workspace.run_folder(found->id);
    std::error_code ignored;
    bool whole = fs::exists(folder / "run.db", ignored)
                 && (!leaves_a_model(record.kind) || fs::exists(folder / "model", ignored))
                 && (!leaves_data(record.kind) || fs::exists(folder / "artifacts", ignored));
    return whole ? found : std::nullopt;
}

void check_references(const Json& recipe, const ModelScope& scope) {
    for_each_field(recipe, Field::Type::model, [&](const Field&, const std::string& reference) {
        if (!reference.starts_with('@'))
            check_model_reference(reference, scope); // parse_study() has checked stages
    });
    for_each_field(recipe, Field::Type::data_file, [&](const Field&, const std::string& reference) {
        if (auto repository = referred_repository(reference, HubKind::data_set))
            check_repository(*repository);
        if (!reference.starts_with('@')) referred_data_run(reference, scope);
    });
}

} // namespace tempera
