#include "core/queue/stages.h"

#include "core/base/error.h"
#include "core/recipe/field.h"
#include "core/recipe/study.h"
#include "core/store/model_reference.h"

#include <algorithm>
#include <cstdio>
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

/// FNV-1a twice, from two starting points: 128 bits against chance, which is all there is to fear here.
class Hash {
public:
    void add(const std::string& text) {
        for (char c : text)
            step(static_cast<unsigned char>(c));
        step(0x100); // no two lists of texts run together
    }
    std::string hex() const {
        char text[33];
        std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(a_),
                      static_cast<unsigned long long>(b_));
        return text;
    }

private:
    void step(unsigned value) {
        a_ = (a_ ^ value) * 0x100000001b3u;
        b_ = (b_ ^ (value + 0x9e37u)) * 0x100000001b3u;
    }
    std::uint64_t a_ = 0xcbf29ce484222325u, b_ = 0x84222325cbf29ce4u;
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
    Json recipe = recipe_of(record);
    ModelScope scope{&workspace, record.study};
    for_each_field(recipe, Field::Type::model, [&](const Field& field, const std::string& reference) {
        recipe[field.name] = resolve_model(reference, scope).string();
    });
    return recipe;
}

std::string fingerprint_of(const RunRecord& record, const Json& resolved, const Workspace& workspace) {
    Hash hash;
    Json recipe = recipe_of(record);
    ModelScope scope{&workspace, record.study};
    for (const char* name : {"name", "title", "about"})
        recipe.erase(name);
    for_each_field(recipe, Field::Type::model, [&](const Field& field, const std::string& reference) {
        hash.add(field.name);
        if (auto input = referred_run(reference, scope)) {
            std::string known = workspace.fingerprint(input->id);
            hash.add(known.empty() ? input->id + " " + std::to_string(input->ended_ms) : known);
        } else {
            add_files(hash, resolved.at(field.name).get<std::string>());
        }
        recipe.erase(field.name);
    });
    for_each_field(recipe, Field::Type::data_file, [&](const Field& field, const std::string& text) {
        hash.add(field.name);
        if (text.find('/') != std::string::npos)
            add_files(hash, text); // else a generator's name, which the recipe holds
    });
    hash.add(to_json_line(recipe)); // nlohmann keeps keys sorted
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
