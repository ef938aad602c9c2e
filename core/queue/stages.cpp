#include "core/queue/stages.h"

#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/queue/engine.h"
#include "core/recipe/field.h"
#include "core/recipe/study.h"
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
        sha_.update(std::as_bytes(std::span(entry)));
    }
    std::string hex() { return sha_.hex_digest(); }

private:
    Sha256 sha_;
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
        for_each_field(
            recipe_of(record), Field::Type::model, [&](const Field&, const std::string& reference) {
                auto input = referred_run(reference, scope);
                if (!input || input->status == RunStatus::finished || !result.reason.empty()) return;
                result.ready = false;
                bool coming = input->status == RunStatus::queued || input->status == RunStatus::running
                              || input->status == RunStatus::stopping;
                std::string what =
                    input->stage.empty() ? "run " + input->id : "stage \"" + input->stage + "\"";
                std::string was = input->status == RunStatus::failed
                                      ? "failed"
                                      : std::string("is ") + name_of(input->status);
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

Json resolved_recipe(const RunRecord& record, const Workspace& workspace) {
    Json recipe = complete_recipe(recipe_of(record));
    ModelScope scope{&workspace, record.study};
    for_each_field(recipe, Field::Type::model, [&](const Field& field, const std::string& reference) {
        recipe[field.name] = resolve_model(reference, scope).string();
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
    for (const char* name : {"name", "title", "about"})
        rest.erase(name);
    for_each_field(
        recipe_of(record), Field::Type::model, [&](const Field& field, const std::string& reference) {
            hash.add(field.name);
            if (auto input = referred_run(reference, scope)) {
                std::string known = workspace.fingerprint(input->id);
                hash.add(known.empty() ? input->id + " " + std::to_string(input->ended_ms) : known);
            } else {
                add_files(hash, resolved.at(field.name).get<std::string>());
            }
            rest.erase(field.name);
        });
    for_each_field(resolved, Field::Type::data_file, [&](const Field& field, const std::string& text) {
        hash.add(field.name);
        if (text.find('/') != std::string::npos) add_files(hash, text); // else a generator's name
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
                 && (record.kind == "sweep" || fs::exists(folder / "model", ignored));
    return whole ? found : std::nullopt;
}

void check_references(const Json& recipe, const ModelScope& scope) {
    for_each_field(recipe, Field::Type::model, [&](const Field&, const std::string& reference) {
        if (!reference.starts_with('@'))
            check_model_reference(reference, scope); // parse_study() has checked stages
    });
}

} // namespace tempera
