#pragma once

#include "core/recipe/binding.h"

namespace tempera {

/// Keys that every recipe may hold beside its kind's fields: "kind", and for people "name", "title", "about",
/// and "paper", the place of the paper's value to show beside the result (see paper_value()).
const std::vector<std::string>& common_recipe_keys();

/// Keys of `recipe` that are neither common nor a field of `kind`, each with the nearest name; and common
/// ones of the wrong type.
std::vector<FieldProblem> check_keys(const RecipeKind& kind, const Json& recipe);

/// Throws Error(bad_input) with the first problem, where there is one.
void require_no_problems(const std::vector<FieldProblem>& problems);

/// All problems of `recipe` read as a Recipe; `target` holds what fits.
template <class Recipe>
std::vector<FieldProblem> check_as(const RecipeKind& kind, const Json& recipe, Recipe& target) {
    auto problems = check_keys(kind, recipe);
    auto misfits = assign_all(target.bindings(), recipe);
    problems.insert(problems.end(), misfits.begin(), misfits.end());
    // Where the kind has defaults that give way to what the user set.
    if constexpr (requires { target.adapt_defaults(recipe); })
        if (recipe.is_object()) target.adapt_defaults(recipe);
    // Cross-field checks on defaults that stand in for a refused value would mislead.
    if (misfits.empty()) {
        auto crossed = target.problems_found();
        problems.insert(problems.end(), crossed.begin(), crossed.end());
    }
    return problems;
}

template <class Recipe>
Recipe read_recipe(const std::string& kind, const Json& recipe) {
    Recipe target;
    require_no_problems(check_as(recipe_kind(kind), recipe, target));
    return target;
}

template <class Recipe>
Json write_recipe(const std::string& kind, Recipe recipe) {
    Json values = values_of(recipe.bindings());
    values["kind"] = kind;
    return values;
}

} // namespace tempera
