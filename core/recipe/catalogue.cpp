#include "core/recipe/catalogue.h"

#include "core/base/error.h"
#include "core/base/joined.h"
#include "core/base/resources.h"
#include "core/base/suggest.h"
#include "core/recipe/study.h"

#include <algorithm>

namespace fs = std::filesystem;

namespace tempera {

namespace {

constexpr std::size_t largest_recipe_file = 4u << 20;

std::string text_at(const Json& object, const char* key) {
    auto entry = object.is_object() ? object.find(key) : object.end();
    return entry != object.end() && entry->is_string() ? entry->get<std::string>() : "";
}

/// Model and data fields that the file leaves empty on purpose.
void collect_needed(const Json& recipe, const std::string& prefix, std::vector<std::string>& needed) {
    for (const char* key : {"model", "base", "reward_model", "data"})
        if (recipe.contains(key) && text_at(recipe, key).empty()) needed.push_back(prefix + key);
}

CatalogueEntry read_entry(const fs::path& path) {
    CatalogueEntry entry{path.stem().string(), {}, {}, path, read_json_file(path, largest_recipe_file), {}};
    entry.title = text_at(entry.recipe, "title");
    entry.about = text_at(entry.recipe, "about");
    if (!is_study(entry.recipe)) {
        collect_needed(entry.recipe, "", entry.needed);
        return entry;
    }
    for (const auto& stage : entry.recipe["stages"])
        collect_needed(stage, text_at(stage, "stage") + ".", entry.needed);
    return entry;
}

double number_at(const Json& object, const char* key, const fs::path& path) {
    auto entry = object.find(key);
    if (entry == object.end() || !entry->is_number())
        fail(ErrorKind::bad_input, path.string() + " lacks the number \"" + key + "\".");
    return entry->get<double>();
}

} // namespace

std::vector<CatalogueEntry> shipped_recipes() {
    std::vector<CatalogueEntry> entries;
    for (const auto& file : fs::directory_iterator(resource_folder() / "recipes"))
        if (file.path().extension() == ".json") entries.push_back(read_entry(file.path()));
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return entries;
}

CatalogueEntry shipped_recipe(const std::string& name) {
    std::vector<std::string> names;
    for (auto& entry : shipped_recipes()) {
        if (entry.name == name) return entry;
        names.push_back(entry.name);
    }
    fail(ErrorKind::not_found, "There is no recipe \"" + name + "\" (there are: " + joined(names)
                                   + "; or give a .json file)." + did_you_mean(name, names));
}

Json load_recipe(const std::string& name_or_file) {
    bool is_path = name_or_file.find('/') != std::string::npos || name_or_file.ends_with(".json");
    if (!is_path) return shipped_recipe(name_or_file).recipe;
    fs::path path = name_or_file;
    Json recipe = read_json_file(path, largest_recipe_file);
    if (!recipe.is_object())
        fail(ErrorKind::bad_input, path.string() + " is not a recipe: a JSON object of fields is expected.");
    return with_absolute_paths(std::move(recipe), fs::absolute(path).parent_path());
}

const std::vector<std::string>& named_models() {
    static const std::vector<std::string> names = {"tiny", "smollm2-135m-instruct", "minilm-l6"};
    return names;
}

PaperValues paper_values() {
    fs::path path = resource_folder() / "paper_values.json";
    Json file = read_json_file(path, largest_recipe_file);
    if (!file.is_object() || !file.contains("table_2") || !file.contains("figure_5")
        || !file["table_2"].is_object() || !file["figure_5"].is_object())
        fail(ErrorKind::bad_input, path.string() + " lacks \"table_2\" or \"figure_5\".");
    const Json &table = file["table_2"], &figure = file["figure_5"];
    PaperValues values;
    values.source = text_at(file, "source");
    values.sft = number_at(table, "sft", path);
    values.sft_synthetic = number_at(table, "sft_synthetic", path);
    values.best_of_n = number_at(table, "best_of_n", path);
    values.best_n = static_cast<int>(number_at(figure, "best_n", path));
    values.best_temperature = number_at(figure, "best_temperature_near", path);
    for (const auto& n : figure.value("n", Json::array()))
        if (n.is_number_integer()) values.n.push_back(n.get<int>());
    return values;
}

std::optional<double> paper_value(const std::string& place) {
    const Json file = read_json_file(resource_folder() / "paper_values.json", largest_recipe_file);
    const auto dot = place.find('.');
    if (dot == std::string::npos || !file.is_object()) return std::nullopt;
    const Json table = file.value(place.substr(0, dot), Json());
    const Json value = table.is_object() ? table.value(place.substr(dot + 1), Json()) : Json();
    return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

} // namespace tempera
