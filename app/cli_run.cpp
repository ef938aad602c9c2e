#include "app/cli.h"
#include "app/cli_output.h"
#include "app/cli_records.h"
#include "app/cli_watch.h"
#include "core/base/error.h"
#include "core/data/data_files.h"
#include "core/recipe/catalogue.h"
#include "core/recipe/study.h"
#include "core/store/data_reference.h"
#include "core/store/model_reference.h"

#include <memory>

namespace fs = std::filesystem;

namespace tempera::cli {

namespace {

struct RunOptions {
    std::string recipe;
    std::vector<std::string> settings;
    std::string name;
    fs::path workspace;
    bool dry_run = false;
    WatchOptions watch;
};

Json assembled_recipe(const RunOptions& options) {
    return as_usage([&] {
        Json recipe = apply_settings(load_recipe(options.recipe), options.settings);
        recipe = with_absolute_paths(recipe, fs::current_path());
        if (!options.name.empty()) recipe[is_study(recipe) ? "title" : "name"] = options.name;
        if (!is_study(recipe) && !recipe.contains("name") && options.recipe.find('/') == std::string::npos)
            recipe["name"] = fs::path(options.recipe).stem().string();
        return complete_recipe_or_study(recipe);
    });
}

/// Models and files that are not there are better missed now than after an hour of another stage.
void require_inputs(const Json& recipe, const Workspace* workspace) {
    for (const auto& field : recipe_kind(recipe["kind"].get<std::string>()).fields) {
        auto value = recipe.value(field.name, Json());
        if (!value.is_string() || value.get_ref<const std::string&>().empty()) continue;
        auto text = value.get<std::string>();
        bool is_run = text.starts_with("run:");
        if (field.type == Field::Type::model && !text.starts_with('@') && is_run == (workspace != nullptr))
            check_model_reference(text, {workspace, ""});
        if (field.type == Field::Type::data_file && is_run && workspace)
            referred_data_run(text, {workspace, ""});
        const auto repository = referred_repository(text, HubKind::data_set);
        const bool data = field.type == Field::Type::data_file && !names_a_run(text);
        if (data && repository) check_repository(*repository);
        if (data && !repository && names_data(text) && !fs::exists(data_path_of(text).path))
            fail(ErrorKind::not_found, "There is no data file or folder " + text + ".");
    }
}

void require_all_inputs(const Json& recipe, const Workspace* workspace) {
    as_usage([&] {
        if (!is_study(recipe)) return require_inputs(recipe, workspace);
        for (const auto& stage : recipe["stages"])
            require_inputs(stage, workspace);
    });
}

int run(const RunOptions& options) {
    Json recipe = assembled_recipe(options);
    if (options.dry_run) {
        write_output(recipe.dump(2) + "\n");
        return exit_done;
    }
    require_all_inputs(recipe, nullptr);
    ignore_closed_output();
    Workspace workspace(workspace_or_default(options.workspace), Workspace::Access::read_write);
    require_all_inputs(recipe, &workspace);
    return watch(workspace, options.watch,
                 [&](RunQueue& queue) { return as_usage([&] { return queue.submit(recipe); }); });
}

/// The run itself and, behind it, the stages of its study that wait for it.
std::vector<std::string> run_and_its_followers(const Workspace& workspace, const RunRecord& run) {
    std::vector<std::string> ids = {run.id};
    for (const auto& other : workspace.runs())
        if (!run.study.empty() && other.study == run.study && other.status == RunStatus::queued
            && other.id != run.id)
            ids.push_back(other.id);
    return ids;
}

int resume(const RunOptions& options) {
    ignore_closed_output();
    fs::path folder = workspace_or_default(options.workspace);
    if (!fs::exists(folder / "workspace.db"))
        throw UsageError("There is no run \"" + options.recipe + "\" to resume: " + folder.string()
                         + " holds no workspace yet.");
    Workspace workspace(folder, Workspace::Access::read_write);
    RunRecord record = find_run(workspace, options.recipe);
    if (record.status == RunStatus::finished) {
        write_output(record.id + " is finished already: see tempera-cli show " + record.id + ".\n");
        return exit_done;
    }
    return watch(workspace, options.watch, [&](RunQueue& queue) {
        queue.resume(record.id);
        return run_and_its_followers(workspace, record);
    });
}

void add_watch_options(CLI::App& verb, RunOptions& options) {
    verb.add_flag("--json", options.watch.json, "Print the results as JSON");
    verb.add_flag("--quiet", options.watch.quiet, "No progress");
    verb.add_option("--threads", options.watch.threads, "Threads to compute with (0 = all cores)")
        ->check(CLI::Range(0, 4096));
    add_workspace_option(verb, options.workspace);
}

} // namespace

void add_run_verbs(CLI::App& app, Action& action) {
    auto options = std::make_shared<RunOptions>();
    auto* start =
        app.add_subcommand("run", "Runs a recipe or study, shipped (see recipes) or from a .json file");
    start->add_option("RECIPE", options->recipe, "Name of a shipped recipe, or a .json file")->required();
    start
        ->add_option("--set", options->settings,
                     "Sets a field; may be given several times. In a study STAGE.FIELD=VALUE reaches one "
                     "stage, FIELD=VALUE every "
                     "stage that has the field")
        ->allow_extra_args(false)
        ->type_name("FIELD=VALUE");
    start->add_option("--name", options->name, "What to call it in lists");
    start->add_flag("--dry-run", options->dry_run, "Print the complete recipe and stop");
    add_watch_options(*start, *options);
    start->callback([options, &action] { action = [options] { return run(*options); }; });

    auto again = std::make_shared<RunOptions>();
    auto* resumed = app.add_subcommand(
        "resume", "Goes on with a run that was stopped, cancelled or interrupted, or that failed");
    resumed->add_option("RUN", again->recipe, "Its id or the beginning of it")->required();
    add_watch_options(*resumed, *again);
    resumed->callback([again, &action] { action = [again] { return resume(*again); }; });
}

} // namespace tempera::cli
