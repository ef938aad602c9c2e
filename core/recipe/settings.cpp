#include "core/base/error.h"
#include "core/base/suggest.h"
#include "core/data/data_files.h"
#include "core/net/endpoint.h"
#include "core/net/hub_name.h"
#include "core/recipe/catalogue.h"
#include "core/recipe/kind.h"
#include "core/recipe/study.h"

#include <algorithm>
#include <cstdlib>

namespace fs = std::filesystem;

namespace tempera {

namespace {

const Field* find_field(const RecipeKind& kind, const std::string& name) {
    auto field =
        std::find_if(kind.fields.begin(), kind.fields.end(), [&](const Field& f) { return f.name == name; });
    return field == kind.fields.end() ? nullptr : &*field;
}

std::vector<std::string> field_names(const RecipeKind& kind) {
    std::vector<std::string> names;
    for (const auto& field : kind.fields)
        names.push_back(field.name);
    return names;
}

const RecipeKind& kind_of(const Json& recipe) {
    auto kind = recipe.find("kind");
    if (kind == recipe.end() || !kind->is_string())
        fail(ErrorKind::bad_input,
             "The recipe does not say which kind of run it is: add \"kind\", e.g. \"sft\".");
    return recipe_kind(kind->get<std::string>());
}

void set_field(Json& recipe, const std::string& name, const std::string& value) {
    const RecipeKind& kind = kind_of(recipe);
    if (name == "name") {
        recipe[name] = value;
        return;
    }
    const Field* field = find_field(kind, name);
    if (!field)
        fail(ErrorKind::bad_input, "A run of kind " + kind.kind + " has no field \"" + name + "\" to set."
                                       + did_you_mean(name, field_names(kind)));
    recipe[name] = parse_field_value(*field, value);
}

Json& stages_of(Json& study) {
    auto stages = study.find("stages");
    bool fits = stages != study.end() && stages->is_array()
                && std::all_of(stages->begin(), stages->end(), [](const Json& stage) {
                       return stage.is_object() && stage.contains("stage") && stage["stage"].is_string();
                   });
    if (!fits)
        fail(ErrorKind::bad_input,
             "A study needs \"stages\": a list of recipes, each with the key \"stage\" that names it.");
    return *stages;
}

void set_in_stage(Json& study, const std::string& stage_name, const std::string& name,
                  const std::string& value) {
    std::vector<std::string> names;
    for (auto& stage : stages_of(study)) {
        names.push_back(stage["stage"].get<std::string>());
        if (names.back() == stage_name) return set_field(stage, name, value);
    }
    fail(ErrorKind::bad_input, "The study has no stage \"" + stage_name + "\" to set " + name + " of."
                                   + did_you_mean(stage_name, names));
}

bool refers_to_a_stage(const Json& stage, const std::string& name) {
    auto entry = stage.find(name);
    return entry != stage.end() && entry->is_string() && !referred_stage(entry->get<std::string>()).empty();
}

void set_in_all_stages(Json& study, const std::string& name, const std::string& value) {
    bool found = false;
    std::vector<std::string> names;
    for (auto& stage : stages_of(study)) {
        const RecipeKind& kind = kind_of(stage);
        auto known = field_names(kind);
        names.insert(names.end(), known.begin(), known.end());
        if (!find_field(kind, name)) continue;
        found = true;
        if (!refers_to_a_stage(stage, name)) set_field(stage, name, value);
    }
    if (!found)
        fail(ErrorKind::bad_input,
             "No stage of the study has a field \"" + name + "\" to set." + did_you_mean(name, names));
}

fs::path expanded(const std::string& text, const fs::path& base) {
    const char* home = std::getenv("HOME");
    if (home && (text == "~" || text.starts_with("~/")))
        return (fs::path(home) / text.substr(std::min<std::size_t>(2, text.size()))).lexically_normal();
    return fs::absolute(base / text).lexically_normal();
}

bool is_model_path(const std::string& text, const fs::path& base) {
    if (text.empty() || names_a_run(text) || names_an_endpoint(text)) return false;
    for (const char* start : {"/", "./", "../", "~/"})
        if (text.starts_with(start)) return true;
    if (std::find(named_models().begin(), named_models().end(), text) != named_models().end()) return false;
    std::error_code ignored;
    return text == "." || text == ".." || text == "~" || fs::exists(base / text, ignored);
}

/// Not a slip in a generator's name, which has to be told as one.
bool is_data_path(const std::string& text, const fs::path& base) {
    if (text.empty() || names_a_run(text)) return false;
    std::error_code ignored;
    return names_data(text) || fs::exists(base / data_path_of(text).path, ignored);
}

void make_absolute(Json& recipe, const fs::path& base) {
    for (const auto& field : kind_of(recipe).fields) {
        auto entry = recipe.find(field.name);
        if (entry == recipe.end() || !entry->is_string()) continue;
        auto text = entry->get<std::string>();
        // whether the hub has it is for the one to say who fetches it
        const fs::path path = data_path_of(text).path;
        bool hub_name = parse_hub_name(path.string(), HubKind::data_set) && !fs::exists(base / path);
        bool chosen = std::find(field.choices.begin(), field.choices.end(), text) != field.choices.end();
        bool is_path = field.type == Field::Type::model ? is_model_path(text, base)
                                                        : field.type == Field::Type::data_file && !chosen
                                                              && !hub_name && is_data_path(text, base);
        if (is_path) *entry = expanded(text, base).string();
    }
}

} // namespace

Json apply_settings(Json recipe_or_study, const std::vector<std::string>& settings) {
    for (const auto& setting : settings) {
        auto equals = setting.find('=');
        if (equals == std::string::npos || equals == 0)
            fail(ErrorKind::bad_input, "\"" + setting + "\" is not a setting: write --set field=value.");
        std::string name = setting.substr(0, equals), value = setting.substr(equals + 1);
        auto dot = name.find('.');
        if (!is_study(recipe_or_study))
            set_field(recipe_or_study, name, value);
        else if (dot == std::string::npos)
            set_in_all_stages(recipe_or_study, name, value);
        else
            set_in_stage(recipe_or_study, name.substr(0, dot), name.substr(dot + 1), value);
    }
    return recipe_or_study;
}

Json with_absolute_paths(Json recipe_or_study, const fs::path& base) {
    if (!is_study(recipe_or_study))
        make_absolute(recipe_or_study, base);
    else
        for (auto& stage : stages_of(recipe_or_study))
            make_absolute(stage, base);
    return recipe_or_study;
}

} // namespace tempera
