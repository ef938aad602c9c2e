#include "app/cli.h"
#include "app/cli_output.h"
#include "app/cli_records.h"
#include "app/cli_show.h"
#include "app/cli_table.h"
#include "core/base/error.h"
#include "core/base/joined.h"
#include "core/recipe/catalogue.h"
#include "core/recipe/field.h"

#include <memory>
#include <unistd.h>

namespace fs = std::filesystem;

namespace tempera::cli {

namespace {

Workspace open_to_read(const fs::path& given) {
    return Workspace(workspace_or_default(given), Workspace::Access::read_only);
}

int list_runs(const fs::path& given, bool json) {
    fs::path folder = workspace_or_default(given);
    if (!fs::exists(folder / "workspace.db")) {
        write_output(json ? "[]\n"
                          : "No runs yet in " + folder.string() + ": start one with tempera-cli run.\n");
        return exit_done;
    }
    auto workspace = open_to_read(folder);
    auto runs = workspace.runs();
    if (json) {
        Json list = Json::array();
        for (const auto& run : runs)
            list.push_back(to_json(run, workspace.run_folder(run.id)));
        write_output(list.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
        return exit_done;
    }
    std::vector<std::vector<std::string>> table = {{"RUN", "KIND", "STATUS", "TIME", "NAME", "RESULT"}};
    for (const auto& run : runs)
        table.push_back({run.id, run.kind, name_of(run.status), time_taken(run), one_line(run.name),
                         one_line(run.error.empty() ? headline_words(run) : run.error)});
    write_output(runs.empty() ? "No runs yet in " + folder.string() + ": start one with tempera-cli run.\n"
                              : text_table(table, 6));
    return exit_done;
}

Json to_json(const CatalogueEntry& entry) {
    return {{"name", entry.name},
            {"title", entry.title},
            {"about", entry.about},
            {"needs", entry.needed},
            {"recipe", entry.recipe}};
}

std::string wrapped(const std::string& text, std::size_t width, const std::string& indent) {
    std::string result, line;
    for (std::size_t begin = 0; begin < text.size();) {
        auto end = std::min(text.find(' ', begin), text.size());
        std::string word = text.substr(begin, end - begin);
        if (!line.empty() && line.size() + 1 + word.size() > width) {
            result += indent + line + "\n";
            line.clear();
        }
        line += (line.empty() ? "" : " ") + word;
        begin = end + 1;
    }
    return result + (line.empty() ? "" : indent + line + "\n");
}

int list_recipes(const std::string& name, bool json) {
    if (!name.empty()) {
        auto entry = as_usage([&] { return shipped_recipe(name); });
        write_output((json ? to_json(entry) : entry.recipe).dump(2) + "\n");
        return exit_done;
    }
    Json list = Json::array();
    for (const auto& entry : shipped_recipes()) {
        list.push_back(to_json(entry));
        if (json) continue;
        write_output(entry.name + ": " + entry.title + "\n" + wrapped(entry.about, 96, "    "));
        for (const auto& gap : entry.needed)
            write_output("    needs --set " + gap + "=...\n");
    }
    if (json) write_output(list.dump(2) + "\n");
    return exit_done;
}

const char* type_words(Field::Type type) {
    switch (type) {
    case Field::Type::boolean:
        return "true or false";
    case Field::Type::integer:
        return "whole number";
    case Field::Type::real:
        return "number";
    case Field::Type::text:
        return "text";
    case Field::Type::choice:
        return "choice";
    case Field::Type::model:
        return "model";
    case Field::Type::data_file:
        return "data";
    case Field::Type::real_list:
        return "numbers";
    case Field::Type::text_list:
        return "texts";
    }
    return "";
}

Json to_json(const Field& field) {
    Json json = {{"name", field.name},   {"type", type_words(field.type)}, {"default", field.default_value},
                 {"unit", field.unit},   {"label", field.label},           {"help", field.help},
                 {"group", field.group}, {"simple", field.simple}};
    if (field.minimum) json["minimum"] = *field.minimum;
    if (field.maximum) json["maximum"] = *field.maximum;
    if (field.minimum_exclusive) json["minimum_exclusive"] = true;
    if (!field.choices.empty()) json["choices"] = field.choices;
    return json;
}

bool is_kind(const std::string& name) {
    return std::ranges::any_of(recipe_kinds(), [&](const RecipeKind& kind) { return kind.kind == name; });
}

int list_fields(const std::string& name, bool json) {
    const RecipeKind& kind = as_usage([&]() { return recipe_kind(name); });
    Json list = Json::array();
    for (const auto& field : kind.fields) {
        list.push_back(to_json(field));
        if (json) continue;
        const std::string range = (field.choices.empty() ? "" : ": ") + joined(field.choices);
        write_output(field.name + " = " + field.default_value.dump() + "  (" + type_words(field.type) + range
                     + (field.unit.empty() ? "" : ", " + field.unit) + ")\n"
                     + wrapped(field.help, 96, "    "));
    }
    if (json) write_output(list.dump(2) + "\n");
    return exit_done;
}

} // namespace

void add_list_verbs(CLI::App& app, Action& action) {
    struct Options {
        fs::path workspace;
        std::string name, kind;
        bool json = false;
        ShowOptions show;
    };
    auto options = std::make_shared<Options>();

    auto* runs = app.add_subcommand("runs", "Lists the runs of the workspace");
    runs->add_flag("--json", options->json, "As JSON");
    add_workspace_option(*runs, options->workspace);
    runs->callback(
        [options, &action] { action = [options] { return list_runs(options->workspace, options->json); }; });

    auto* recipes = app.add_subcommand(
        "recipes", "Lists the shipped recipes, prints one, or explains the fields of a kind of run");
    recipes->add_option("NAME", options->name,
                        "Prints this one as a file to start from; or the name of a kind, as --fields");
    recipes->add_option("--fields", options->kind, "Explains the fields of a kind of run, e.g. sft or sweep")
        ->type_name("KIND");
    recipes->add_flag("--json", options->json, "As JSON");
    recipes->callback([options, &action] {
        action = [options] {
            const std::string& kind =
                options->kind.empty() && is_kind(options->name) ? options->name : options->kind;
            return kind.empty() ? list_recipes(options->name, options->json)
                                : list_fields(kind, options->json);
        };
    });

    auto* show = app.add_subcommand("show", "Shows a run: its state and last metrics, or the table of a "
                                            "sweep or win-rate; or a study beside the paper");
    show->add_option("RUN", options->show.run,
                     "Its id, the beginning of it, or a run folder; or the id or name of a study")
        ->required();
    show->add_flag("--metrics", options->show.metrics,
                   "Every recorded step; with --json one JSON line a step");
    show->add_flag("--samples", options->show.samples,
                   "The samples with their verdicts; with --json one JSON line a sample");
    show->add_flag("--events", options->show.events, "Log, checkpoints and warnings");
    show->add_option("--temperature", options->show.temperature, "Only samples drawn at this temperature");
    show->add_option("--problem", options->show.problem, "Only samples of this problem (0 is the first)");
    show->add_flag("--json", options->show.json, "As JSON");
    add_workspace_option(*show, options->workspace);
    show->callback(
        [options, &action] { action = [options] { return show_run(options->workspace, options->show); }; });
}

} // namespace tempera::cli
