#include "app/cli.h"

#include "app/cli_output.h"
#include "core/base/error.h"
#include "core/base/resources.h"
#include "core/base/suggest.h"

#include <algorithm>
#include <csignal>
#include <exception>
#include <new>

namespace tempera::cli {

void add_workspace_option(CLI::App& verb, std::filesystem::path& folder) {
    verb.add_option("--workspace", folder, "Folder that holds the runs ($TEMPERA_WORKSPACE, else ~/tempera)")
        ->type_name("DIR");
}

std::filesystem::path workspace_or_default(const std::filesystem::path& given) {
    return std::filesystem::absolute(given.empty() ? default_workspace() : given).lexically_normal();
}

namespace {

constexpr const char* footer = "Exit codes: 0 done, 1 it failed, 2 the command cannot be carried out as "
                               "written, 130 stopped by Ctrl-C.\n"
                               "Verbs that say JSON lines read one object per line on standard input and "
                               "write one per line on standard output.";

int say(const std::string& sentence, int code) {
    write_error("tempera-cli: " + one_line(sentence) + "\n");
    return code;
}

/// The deepest verb that was named, for "did you mean" and for the usage hint.
const CLI::App* deepest(const CLI::App* app) {
    auto parsed = app->get_subcommands();
    return parsed.empty() ? app : deepest(parsed.front());
}

std::vector<std::string> verb_names(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; }))
        names.push_back(verb->get_name());
    return names;
}

std::vector<std::string> option_names(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::Option* option : app.get_options())
        for (const auto& name : option->get_lnames())
            names.push_back("--" + name);
    return names;
}

std::string path_of(const CLI::App* app) {
    return app->get_parent() ? path_of(app->get_parent()) + " " + app->get_name() : "tempera-cli";
}

/// The sentence for what CLI11 refused.
std::string usage_sentence(const CLI::App& app, const CLI::ParseError& error) {
    const CLI::App* verb = deepest(&app);
    std::string help = " See " + path_of(verb) + " --help.";
    auto left = verb->remaining();
    if (left.empty()) left = app.remaining(true);
    if (dynamic_cast<const CLI::ExtrasError*>(&error) && !left.empty()) {
        const std::string& word = left.front();
        bool option = word.starts_with('-');
        std::string name = word.substr(0, word.find('='));
        auto known = option ? option_names(*verb) : verb_names(*verb);
        if (option && verb != &app && std::find(known.begin(), known.end(), name) != known.end())
            return "\"" + name + "\" stands before its verb: write " + path_of(verb) + " " + name
                   + " instead." + help;
        std::string what = option                      ? "Unknown option "
                           : verb_names(*verb).empty() ? "Unexpected argument "
                                                       : "Unknown verb ";
        return what + "\"" + name + "\"." + did_you_mean(name, known) + help;
    }
    std::string text = error.what();
    while (!text.empty() && (text.back() == '.' || text.back() == '\n'))
        text.pop_back();
    return text + "." + help;
}

/// What was written before the error belongs to the reader.
void flush_before_the_error() {
    try {
        flush_output();
    } catch (const Error&) { // the error that follows matters more
    }
}

int run_and_flush(const Action& action) {
    try {
        int code = action();
        flush_output();
        return code;
    } catch (...) {
        flush_before_the_error();
        throw;
    }
}

int run_action(const Action& action) {
    try {
        return run_and_flush(action);
    } catch (const UsageError& error) {
        return say(error.what(), exit_usage);
    } catch (const Error& error) {
        return say(error.what(), exit_failed);
    } catch (const std::bad_alloc&) {
        return say("There is not enough memory for this: close other programs or ask for less.", exit_failed);
    } catch (const std::filesystem::filesystem_error& error) {
        return say("Cannot use " + error.path1().string() + ": " + error.code().message() + ".", exit_failed);
    } catch (const std::exception& error) {
        return say(std::string("Something went wrong that Tempera did not foresee: ") + error.what(),
                   exit_failed);
    }
}

int parse_and_run(int argc, char** argv) {
    CLI::App app("Tempera: fine-tuning of small language models and best-of-N temperature sweeps",
                 "tempera-cli");
    app.set_version_flag("--version", std::string("tempera-cli ") + TEMPERA_VERSION);
    app.require_subcommand(0, 1);
    app.footer(footer);
    Action action;
    add_run_verbs(app, action);
    add_list_verbs(app, action);
    add_export_verb(app, action);
    add_model_verbs(app, action);
    add_hub_verbs(app, action);
    add_text_verbs(app, action);
    add_sampling_verbs(app, action);
    add_reward_verb(app, action);
    add_compare_verb(app, action);
    add_endpoint_verbs(app, action);
    add_data_verbs(app, action);
    add_import_verb(app, action);
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& asked) { // --help, --version
        return app.exit(asked);
    } catch (const CLI::ParseError& error) {
        return say(usage_sentence(app, error), exit_usage);
    }
    if (!action) {
        const CLI::App* verb = deepest(&app);
        return say("Say what to do: " + path_of(verb) + " VERB. See " + path_of(verb) + " --help.",
                   exit_usage);
    }
    return run_action(action);
}

} // namespace

} // namespace tempera::cli

int main(int argc, char** argv) {
    std::signal(SIGXFSZ,
                SIG_IGN); // a file size limit is then an error with a sentence, not the end of the program
    return tempera::cli::parse_and_run(argc, argv);
}
