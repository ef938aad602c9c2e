#pragma once

#include "core/recipe/field.h"

#include <filesystem>
#include <string>
#include <vector>

namespace tempera {

/// One run of a study. A model field "@sft" stands for what the run of stage "sft" leaves in its model/
/// folder, a data field "@pairs/best.jsonl" for what stage "pairs" leaves in its artifacts/ folder.
struct Stage {
    std::string name;
    Json recipe;                    ///< complete; references still read "@stage"
    std::vector<std::string> after; ///< the stages it refers to
};

/// A small graph of runs: {"study": "figure-5", "title": .., "about": .., "stages": [{"stage": "sft", "kind":
/// "sft", ..}, ..]}.
struct Study {
    std::string name;
    std::string title;
    std::string about;
    std::vector<Stage> stages; ///< every stage behind those it refers to, else in the file's order
};

/// True where the JSON has the key "study" or "stages"; anything else is a single recipe.
bool is_study(const Json& recipe_or_study);

/// What is wrong with a study; `field` is "stage.field" where a stage's field is meant. Checks every stage's
/// recipe, names (letters, digits, - and _, no two alike), unknown references (with the nearest name),
/// references to a stage that leaves no model or data, and cycles.
std::vector<FieldProblem> check_study(const Json& study);
/// Throws Error(bad_input) with the first problem.
Study parse_study(const Json& study);
/// The study file with every default filled in, stages in the order they can run.
Json to_json(const Study& study);

/// The stage that a reference like "@sft" or "@pairs/best.jsonl" names, or "".
std::string referred_stage(const std::string& reference);

/// What a kind of run leaves for others: a model in model/, or .jsonl files in artifacts/.
bool leaves_a_model(const std::string& kind);
bool leaves_data(const std::string& kind);

/// Both kinds of file: check_study or check_recipe.
std::vector<FieldProblem> check_recipe_or_study(const Json& recipe_or_study);
/// Both kinds of file, complete. Throws Error(bad_input) with the first problem.
Json complete_recipe_or_study(const Json& recipe_or_study);

/// Applies what the command line calls `--set field=value` and, for a study, `--set stage.field=value`. In a
/// study a bare field goes to every stage that has it, except where the stage refers to another one there
/// ("@sft"): so `seed=7` or `prompt_style=short` keeps the stages in step and `model=X` replaces what the
/// study starts from. Throws Error(bad_input, not_found) with the nearest name; the recipe as a whole is not
/// checked.
Json apply_settings(Json recipe_or_study, const std::vector<std::string>& settings);

/// Makes the paths in model and data fields absolute, seen from `base`. A model is a path where it begins
/// with "/", "./",
/// "../" or "~", or where such a folder or file exists below `base` and it is no named model; else it is a
/// name.
Json with_absolute_paths(Json recipe_or_study, const std::filesystem::path& base);

} // namespace tempera
