#include "core/recipe/field.h"

#include "core/base/error.h"
#include "core/base/joined.h"
#include "core/base/suggest.h"
#include "core/recipe/adapted.h"
#include "core/recipe/dpo_recipe.h"
#include "core/recipe/kind.h"
#include "core/recipe/pairs_recipe.h"
#include "core/recipe/reward_recipe.h"
#include "core/recipe/rloo_recipe.h"
#include "core/recipe/sft_recipe.h"
#include "core/recipe/sweep_recipe.h"
#include "core/recipe/synthetic_recipe.h"
#include "core/recipe/win_rate_recipe.h"

#include <algorithm>
#include <functional>

namespace tempera {

namespace {

/// A row of the catalogue. A new kind of run is one more row.
struct KindRow {
    RecipeKind kind;
    std::function<std::vector<FieldProblem>(const RecipeKind&, const Json&)> check;
    std::function<Json(const Json&)> complete;
    std::function<Json(const Json&)> adapted;
};

template <class Recipe>
KindRow make_row(std::string kind, std::string title, std::string help) {
    KindRow row{{std::move(kind), std::move(title), std::move(help), {}}, {}, {}, {}};
    Recipe defaults;
    for (const auto& binding : defaults.bindings())
        row.kind.fields.push_back(binding.field());
    row.check = [](const RecipeKind& known, const Json& recipe) {
        Recipe target;
        return check_as(known, recipe, target);
    };
    row.adapted = [](const Json& recipe) {
        Recipe target;
        assign_all(target.bindings(), recipe);
        if constexpr (requires { target.adapt_defaults(recipe); }) target.adapt_defaults(recipe);
        return values_of(target.bindings());
    };
    row.complete = [](const Json& recipe) { return Recipe::from(recipe).to_json(); };
    return row;
}

const std::vector<KindRow>& rows() {
    static const std::vector<KindRow> all = {
        make_row<SftRecipe>(
            "sft", "Supervised fine-tuning",
            "Trains a model on examples of prompts and responses, whole or through a LoRA adapter."),
        make_row<DpoRecipe>("dpo", "Direct preference optimisation",
                            "Trains a model on pairs of answers to prefer the chosen one over the rejected, "
                            "held to a reference model."),
        make_row<RlooRecipe>(
            "rloo", "RLOO",
            "Draws completions, rewards them, and trains the model towards those that beat the others of "
            "their prompt (REINFORCE leave-one-out)."),
        make_row<SweepRecipe>(
            "sweep", "Best-of-N temperature sweep",
            "Samples every problem N times at every temperature, verifies each sample, and maps score over "
            "temperature x N."),
        make_row<WinRateRecipe>(
            "win_rate", "Win-rate",
            "Lets a base and a tuned model answer the same held-out prompts, has a judge score both, and "
            "reports how often the tuned one is better."),
        make_row<PairsRecipe>(
            "pairs", "Preference pairs",
            "Draws several answers to every prompt, scores them, and writes the best against the worst as "
            "preference data, and the best alone as examples."),
        make_row<RewardRecipe>(
            "reward", "Reward model",
            "Trains an encoder to score answers: to tell the chosen one of a pair from the rejected one, or "
            "to give each the score the data has."),
        make_row<SyntheticRecipe>(
            "synthetic", "Synthetic data",
            "Lets a teacher write Countdown problems with worked solutions, and keeps those that the "
            "verifier and the solver confirm and that are new."),
    };
    return all;
}

const KindRow* find_row(const std::string& kind) {
    auto row =
        std::find_if(rows().begin(), rows().end(), [&](const KindRow& r) { return r.kind.kind == kind; });
    return row == rows().end() ? nullptr : &*row;
}

std::string unknown_kind(const std::string& kind) {
    std::vector<std::string> names;
    for (const auto& row : rows())
        names.push_back(row.kind.kind);
    return "There is no kind of run \"" + kind + "\" (there are: " + joined(names) + ")."
           + did_you_mean(kind, names);
}

} // namespace

const std::vector<RecipeKind>& recipe_kinds() {
    static const std::vector<RecipeKind> kinds = [] {
        std::vector<RecipeKind> list;
        for (const auto& row : rows())
            list.push_back(row.kind);
        return list;
    }();
    return kinds;
}

const RecipeKind& recipe_kind(const std::string& kind) {
    const KindRow* row = find_row(kind);
    if (!row) fail(ErrorKind::not_found, unknown_kind(kind));
    return row->kind;
}

const std::vector<std::string>& common_recipe_keys() {
    static const std::vector<std::string> keys = {"kind", "name", "title", "about", "paper"};
    return keys;
}

std::vector<FieldProblem> check_keys(const RecipeKind& kind, const Json& recipe) {
    if (!recipe.is_object()) return {{"", "A recipe must be a JSON object of fields."}};
    std::vector<std::string> names;
    for (const auto& field : kind.fields)
        names.push_back(field.name);
    std::vector<FieldProblem> problems;
    for (const auto& [key, value] : recipe.items()) {
        bool common = std::find(common_recipe_keys().begin(), common_recipe_keys().end(), key)
                      != common_recipe_keys().end();
        if (common && !value.is_string())
            problems.push_back({key, key + " must be a text in quotes."});
        else if (common && key == "kind" && value != kind.kind)
            problems.push_back({key, "This is a recipe of kind \"" + value.get<std::string>() + "\", not \""
                                         + kind.kind + "\"."});
        else if (!common && std::find(names.begin(), names.end(), key) == names.end())
            problems.push_back({key, "Unknown field \"" + key + "\" for a run of kind " + kind.kind + "."
                                         + did_you_mean(key, names)});
    }
    return problems;
}

void require_no_problems(const std::vector<FieldProblem>& problems) {
    if (!problems.empty()) fail(ErrorKind::bad_input, problems.front().sentence);
}

std::vector<FieldProblem> check_recipe(const Json& recipe) {
    if (!recipe.is_object()) return {{"", "A recipe must be a JSON object of fields."}};
    auto kind = recipe.find("kind");
    if (kind == recipe.end())
        return {{"kind", "The recipe does not say which kind of run it is: add \"kind\", e.g. \"sft\"."}};
    if (!kind->is_string()) return {{"kind", "kind must be a text in quotes."}};
    const KindRow* row = find_row(kind->get<std::string>());
    if (!row) return {{"kind", unknown_kind(kind->get<std::string>())}};
    return row->check(row->kind, recipe);
}

Json adapted_recipe(const Json& recipe) {
    const std::string kind = recipe.is_object() ? recipe.value("kind", std::string()) : std::string();
    const KindRow* row = find_row(kind);
    if (!row) fail(ErrorKind::not_found, unknown_kind(kind));
    Json values = row->adapted(recipe);
    values["kind"] = kind;
    return values;
}

Json complete_recipe(const Json& recipe) {
    require_no_problems(check_recipe(recipe));
    Json complete = find_row(recipe["kind"].get<std::string>())->complete(recipe);
    for (const auto& key : common_recipe_keys())
        if (recipe.contains(key)) complete[key] = recipe[key];
    return complete;
}

} // namespace tempera
