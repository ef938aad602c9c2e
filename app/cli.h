#pragma once

#include "core/base/error.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>

namespace tempera::cli {

/// The command cannot be carried out as it was written: exit code 2. Everything else that goes wrong is an
/// Error: exit code 1.
struct UsageError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Runs `function`; what it finds wrong or missing is wrong with the command, because nothing was tried yet.
template <class Function>
auto as_usage(Function&& function) {
    try {
        return function();
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::bad_input || error.kind() == ErrorKind::not_found)
            throw UsageError(error.what());
        throw;
    }
}

/// What the parsed verb does; returns the exit code. Set by the verb's callback, run by main.
using Action = std::function<int()>;

constexpr int exit_done = 0;
constexpr int exit_failed = 1;
constexpr int exit_usage = 2;

/// One function per group of verbs; each stands in a file of its own.
void add_run_verbs(CLI::App& app, Action& action);      // run, resume
void add_list_verbs(CLI::App& app, Action& action);     // runs, show, recipes
void add_export_verb(CLI::App& app, Action& action);    // export
void add_model_verbs(CLI::App& app, Action& action);    // model import, merge, info
void add_text_verbs(CLI::App& app, Action& action);     // tokenize, verify
void add_sampling_verbs(CLI::App& app, Action& action); // logprobs, generate
void add_hub_verbs(CLI::App& app, Action& action);      // hub list, download
void add_reward_verb(CLI::App& app, Action& action);    // reward
void add_compare_verb(CLI::App& app, Action& action);   // compare
void add_endpoint_verbs(CLI::App& app, Action& action); // endpoints list, add, remove, test
void add_import_verb(CLI::App& app, Action& action);    // import
void add_data_verbs(CLI::App& app, Action& action);     // data check, head

/// Adds --workspace, with its default in the help.
void add_workspace_option(CLI::App& verb, std::filesystem::path& folder);
/// The folder that was given, else default_workspace().
std::filesystem::path workspace_or_default(const std::filesystem::path& given);

} // namespace tempera::cli
