#include "core/recipe/study.h"

#include "core/base/error.h"
#include "core/base/suggest.h"
#include "core/recipe/kind.h"

#include <algorithm>
#include <map>

namespace tempera {

namespace {

constexpr std::size_t most_stages = 100;

bool is_name(const std::string& text) {
    auto allowed = [](unsigned char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'
               || c == '_';
    };
    return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), allowed);
}

std::string text_at(const Json& object, const char* key) {
    auto entry = object.find(key);
    return entry != object.end() && entry->is_string() ? entry->get<std::string>() : "";
}

/// The stage's recipe without the keys that belong to the study.
Json recipe_of(const Json& stage) {
    Json recipe = stage;
    recipe.erase("stage");
    return recipe;
}

std::vector<FieldProblem> check_head(const Json& study) {
    std::vector<FieldProblem> problems;
    const std::vector<std::string> known = {"study", "title", "about", "stages"};
    for (const auto& [key, value] : study.items()) {
        if (std::find(known.begin(), known.end(), key) == known.end())
            problems.push_back({key, "Unknown field \"" + key
                                         + "\" of a study (its fields are study, title, about, stages)."
                                         + did_you_mean(key, known)});
        else if (key != "stages" && !value.is_string())
            problems.push_back({key, key + " must be a text in quotes."});
    }
    if (!study.contains("study"))
        problems.push_back({"study", "The study has no name: add \"study\", e.g. \"figure-5\"."});
    else if (study["study"].is_string() && !is_name(study["study"].get<std::string>()))
        problems.push_back(
            {"study", "A study's name is made of letters, digits, - and _, at most 64 of them."});
    auto stages = study.find("stages");
    if (stages == study.end() || !stages->is_array() || stages->empty())
        problems.push_back(
            {"stages",
             "A study needs \"stages\": a list of recipes, each with the key \"stage\" that names it."});
    else if (stages->size() > most_stages)
        problems.push_back({"stages", "A study has at most " + std::to_string(most_stages) + " stages."});
    return problems;
}

std::vector<FieldProblem> check_names(const Json& stages) {
    std::vector<FieldProblem> problems;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < stages.size(); ++i) {
        std::string number = "Stage " + std::to_string(i + 1);
        if (!stages[i].is_object()) {
            problems.push_back({"stages", number + " must be a JSON object of fields."});
            continue;
        }
        std::string name = text_at(stages[i], "stage");
        if (!is_name(name))
            problems.push_back(
                {"stages", number + " needs a name: add \"stage\", made of letters, digits, - and _."});
        else if (std::find(names.begin(), names.end(), name) != names.end())
            problems.push_back({"stages", "Two stages are named \"" + name + "\": rename one."});
        names.push_back(name);
    }
    return problems;
}

/// Calls visit(field, text) for the model and data fields of a recipe whose kind is known.
template <class Visit>
void for_each_input(const Json& recipe, Visit visit) {
    for (const auto& field : recipe_kind(text_at(recipe, "kind")).fields)
        if (field.type == Field::Type::model || field.type == Field::Type::data_file)
            visit(field, text_at(recipe, field.name.c_str()));
}

std::vector<std::string> references_of(const Json& recipe) {
    std::vector<std::string> names;
    for_each_input(recipe, [&](const Field&, const std::string& text) {
        auto name = referred_stage(text);
        if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end())
            names.push_back(name);
    });
    return names;
}

/// What is wrong with a reference to a stage that exists, "" where nothing is.
std::string wrong_use(const Field& field, const std::string& text, const std::string& kind) {
    if (field.type == Field::Type::data_file)
        return leaves_data(kind) ? "" : ", but that stage is of kind " + kind + " and leaves no data.";
    if (text.find('/') != std::string::npos) return ": a model is named by its stage alone, without a file.";
    return leaves_a_model(kind) ? "" : ", but that stage is of kind " + kind + " and leaves no model.";
}

std::vector<FieldProblem> check_references(const Json& stages) {
    std::map<std::string, const Json*> by_name;
    std::vector<std::string> names;
    for (const auto& stage : stages) {
        names.push_back(text_at(stage, "stage"));
        by_name[names.back()] = &stage;
    }
    std::vector<FieldProblem> problems;
    for (const auto& stage : stages) {
        std::string name = text_at(stage, "stage");
        for_each_input(stage, [&](const Field& field, const std::string& text) {
            if (!text.starts_with('@')) return;
            std::string target = referred_stage(text), place = name + "." + field.name;
            if (!by_name.contains(target))
                problems.push_back({place, place + " refers to \"" + text + "\", but no stage has that name."
                                               + did_you_mean(target, names)});
            else if (auto wrong = wrong_use(field, text, text_at(*by_name[target], "kind")); !wrong.empty())
                problems.push_back({place, place + " refers to \"" + text + "\"" + wrong});
        });
    }
    return problems;
}

/// Indices of `stages` so that every one comes after those it refers to; shorter than `stages` where there is
/// a cycle.
std::vector<std::size_t> run_order(const Json& stages) {
    std::vector<std::size_t> order;
    std::vector<std::string> placed;
    std::vector<bool> done(stages.size(), false);
    auto ready = [&](const Json& stage) {
        auto wanted = references_of(stage);
        return std::all_of(wanted.begin(), wanted.end(), [&](const std::string& name) {
            return std::find(placed.begin(), placed.end(), name) != placed.end();
        });
    };
    for (bool moved = true; moved;) {
        moved = false;
        for (std::size_t i = 0; i < stages.size() && !moved; ++i) {
            if (done[i] || !ready(stages[i])) continue;
            done[i] = moved = true;
            order.push_back(i);
            placed.push_back(text_at(stages[i], "stage"));
        }
    }
    return order;
}

std::string cycle_sentence(const Json& stages, const std::vector<std::size_t>& order) {
    std::string names;
    for (std::size_t i = 0; i < stages.size(); ++i)
        if (std::find(order.begin(), order.end(), i) == order.end())
            names += (names.empty() ? "\"" : ", \"") + text_at(stages[i], "stage") + "\"";
    return "These stages wait for each other and none could start: " + names
           + ". Let one of them start from another model.";
}

} // namespace

std::string referred_stage(const std::string& reference) {
    return reference.starts_with('@') ? reference.substr(1, reference.find('/') - 1) : "";
}

bool leaves_a_model(const std::string& kind) {
    return kind != "sweep" && kind != "win_rate" && kind != "pairs"
           && kind != "synthetic"; // these judge or make data; all others train a model
}

bool leaves_data(const std::string& kind) {
    return kind == "pairs" || kind == "synthetic";
}

bool is_study(const Json& recipe_or_study) {
    return recipe_or_study.is_object()
           && (recipe_or_study.contains("study") || recipe_or_study.contains("stages"));
}

std::vector<FieldProblem> check_study(const Json& study) {
    if (!is_study(study)) return {{"", "A study must be a JSON object with \"study\" and \"stages\"."}};
    auto problems = check_head(study);
    if (!problems.empty()) return problems;
    const Json& stages = study["stages"];
    problems = check_names(stages);
    if (!problems.empty()) return problems;
    for (const auto& stage : stages) {
        std::string name = text_at(stage, "stage");
        for (auto& problem : check_recipe(recipe_of(stage)))
            problems.push_back({name + "." + problem.field, "Stage " + name + ": " + problem.sentence});
    }
    if (!problems.empty()) return problems;
    problems = check_references(stages);
    if (!problems.empty()) return problems;
    auto order = run_order(stages);
    if (order.size() != stages.size()) problems.push_back({"stages", cycle_sentence(stages, order)});
    return problems;
}

Study parse_study(const Json& study) {
    require_no_problems(check_study(study));
    Study result{text_at(study, "study"), text_at(study, "title"), text_at(study, "about"), {}};
    const Json& stages = study["stages"];
    for (std::size_t index : run_order(stages)) {
        Json recipe = complete_recipe(recipe_of(stages[index]));
        result.stages.push_back({text_at(stages[index], "stage"), recipe, references_of(recipe)});
    }
    return result;
}

Json to_json(const Study& study) {
    Json stages = Json::array();
    for (const auto& stage : study.stages) {
        stages.push_back(stage.recipe);
        stages.back()["stage"] = stage.name;
    }
    Json result = {{"study", study.name}, {"stages", stages}};
    if (!study.title.empty()) result["title"] = study.title;
    if (!study.about.empty()) result["about"] = study.about;
    return result;
}

std::vector<FieldProblem> check_recipe_or_study(const Json& recipe_or_study) {
    if (is_study(recipe_or_study)) return check_study(recipe_or_study);
    auto problems = check_recipe(recipe_or_study);
    if (!problems.empty()) return problems;
    for_each_input(recipe_or_study, [&](const Field& field, const std::string& text) {
        if (text.starts_with('@'))
            problems.push_back({field.name, field.name + " is \"" + text
                                                + "\", which names a stage, but this recipe is not part of "
                                                  "a study: use run:ID for the result of another run."});
    });
    return problems;
}

Json complete_recipe_or_study(const Json& recipe_or_study) {
    require_no_problems(check_recipe_or_study(recipe_or_study));
    return is_study(recipe_or_study) ? to_json(parse_study(recipe_or_study))
                                     : complete_recipe(recipe_or_study);
}

} // namespace tempera
