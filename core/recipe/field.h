#pragma once

#include "core/base/json.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tempera {

/// One field of a recipe, declared once: the form, the command line, validation, the JSON file and the stored
/// run all come from this.
struct Field {
    enum class Type { boolean, integer, real, text, choice, model, data_file, real_list, text_list };
    std::string name; ///< key in JSON and in `--set name=value`
    Type type = Type::real;
    Json default_value;
    std::optional<double> minimum; ///< inclusive
    std::optional<double> maximum; ///< inclusive
    bool minimum_exclusive = false;
    std::vector<std::string> choices; ///< for Type::choice
    std::string unit;                 ///< "tokens", "steps", "" ...
    std::string label;                ///< for the form: "Learning rate"
    std::string help;                 ///< one or two sentences
    std::string group;                ///< the form folds by it
    bool remote = false;              ///< a model field that may also name an endpoint
    bool simple = false;              ///< shown in the simple form (at most seven of a kind)
};

/// A kind of run: what the catalogue, the form and the command line know of it.
struct RecipeKind {
    std::string kind;  ///< "sft", "sweep"
    std::string title; ///< "Supervised fine-tuning"
    std::string help;
    std::vector<Field> fields;
};

/// Whether the text of a model or data field names a run's result: "@stage" or "run:ID", for data with
/// "/FILE" behind it.
bool names_a_run(const std::string& reference);

/// What is wrong with one field; `sentence` says what to do.
struct FieldProblem {
    std::string field;
    std::string sentence;
};

/// All kinds that exist, in the order of the catalogue.
const std::vector<RecipeKind>& recipe_kinds();
/// Throws Error(not_found) with the nearest name.
const RecipeKind& recipe_kind(const std::string& kind);

/// Checks a recipe {"kind":..., "name":..., field: value ...}: unknown fields (with the nearest name), types,
/// ranges, choices.
std::vector<FieldProblem> check_recipe(const Json& recipe);
/// Parses what a user typed for a field ("5e-6", "true", "0.1,0.3") into JSON. Throws Error(bad_input).
Json parse_field_value(const Field& field, const std::string& text);
/// `recipe` with every default filled in. Throws Error(bad_input) with the first problem.
Json complete_recipe(const Json& recipe);

} // namespace tempera
