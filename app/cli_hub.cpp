#include "app/cli_hub.h"

#include "app/cli.h"
#include "app/cli_output.h"
#include "app/cli_signals.h"
#include "core/base/counted.h"
#include "core/base/json.h"
#include "core/net/hub.h"
#include "core/store/hub_reference.h"

#include <algorithm>
#include <memory>

namespace fs = std::filesystem;

namespace tempera::cli {

namespace {

struct HubOptions {
    std::string name;
    bool data_set = false, all = false, offline = false, json = false, quiet = false;
    std::vector<std::string> patterns;
    std::string endpoint;
    fs::path cache;
    int parallel = 4;
};

HubName name_of(const HubOptions& options) {
    auto name = parse_hub_name(options.name, options.data_set ? HubKind::data_set : HubKind::model);
    if (!name)
        throw UsageError(
            "\"" + options.name
            + "\" is no name of the hub: give OWNER/NAME, OWNER/NAME@REVISION or OWNER/NAME/PATH.");
    return *name;
}

HubSettings settings_of(const HubOptions& options) {
    HubSettings settings = hub_settings();
    if (!options.endpoint.empty()) settings.endpoint = options.endpoint;
    while (settings.endpoint.ends_with('/'))
        settings.endpoint.pop_back();
    if (!options.cache.empty()) settings.cache = fs::absolute(options.cache).lexically_normal();
    settings.offline |= options.offline;
    settings.parallel = options.parallel;
    return settings;
}

/// The chosen files' paths, sorted as the listing is.
bool is_chosen(const std::vector<HubFile>& chosen, const HubFile& file) {
    return std::any_of(chosen.begin(), chosen.end(), [&](const HubFile& c) { return c.path == file.path; });
}

/// What a download without options would take; nothing where it would refuse.
std::vector<HubFile> usual_files(const HubListing& listing) {
    try {
        return chosen_files(listing);
    } catch (const Error&) {
        return {};
    }
}

int list(const HubOptions& options) {
    const Hub hub{settings_of(options), {}};
    const HubListing listing = list_hub(hub, name_of(options));
    const auto usual = usual_files(listing);
    if (options.json) {
        Json files = Json::array();
        for (const HubFile& file : listing.files)
            files.push_back({{"path", file.path},
                             {"bytes", file.size},
                             {"hash", file.blob},
                             {"cached", file.cached},
                             {"usual", is_chosen(usual, file)}});
        write_output(
            Json{{"repository", listing.name.repository()}, {"commit", listing.commit}, {"files", files}}
                .dump(2, ' ', false, Json::error_handler_t::replace)
            + "\n");
        return exit_done;
    }
    write_output(listing.name.repository() + " at commit " + listing.commit + "\n");
    for (const HubFile& file : listing.files)
        write_output(fitted(byte_words(file.size), 12, true) + (is_chosen(usual, file) ? "  * " : "    ")
                     + one_line(file.path) + (file.cached ? " (in the cache)" : "") + "\n");
    write_output("* is what \"hub download\" takes without --all and --include.\n");
    return exit_done;
}

/// Draws the bar; the first Ctrl-C stops.
fs::path download_shown(const Hub& hub, const HubPlan& plan, bool quiet, const StopToken& stop) {
    ProgressPrinter printer(quiet);
    const auto show = hub_printer(printer, plan.listing.name.repository(), stop);
    return download_hub(hub, plan, show, stop);
}

int download(const HubOptions& options, const StopToken& stop) {
    const Hub hub{settings_of(options), {}};
    const HubPlan plan = plan_hub(hub, name_of(options), {options.all, options.patterns}, stop);
    if (!options.quiet && !options.json)
        write_error(plan.listing.name.repository() + " at commit " + plan.listing.commit.substr(0, 12) + ": "
                    + counted(plan.files.size(), "file") + ", " + byte_words(plan.bytes) + ", of which "
                    + byte_words(plan.missing_bytes) + " to fetch\n");
    const fs::path target = download_shown(hub, plan, options.quiet, stop);
    if (options.json)
        write_output(Json{{"path", target.string()},
                          {"commit", plan.listing.commit},
                          {"bytes", plan.bytes},
                          {"fetched", plan.missing_bytes}}
                         .dump(2)
                     + "\n");
    else
        write_output(target.string() + "\n");
    return exit_done;
}

void add_shared_options(CLI::App& verb, HubOptions& options) {
    verb.add_option("NAME", options.name,
                    "OWNER/NAME, with @REVISION (a branch, tag or commit) or /PATH (a file or folder in it)")
        ->required();
    verb.add_flag("--dataset", options.data_set, "It is a data set, not a model");
    verb.add_option("--endpoint", options.endpoint,
                    "Address of a mirror ($HF_ENDPOINT, else https://huggingface.co)")
        ->type_name("URL");
    verb.add_option("--cache", options.cache,
                    "Folder of the hub's files ($HF_HUB_CACHE, else ~/.cache/huggingface/hub)")
        ->type_name("DIR");
    verb.add_flag("--offline", options.offline, "Ask the cache alone ($HF_HUB_OFFLINE)");
    verb.add_flag("--json", options.json, "As JSON");
}

} // namespace

HubProgressSink hub_printer(ProgressPrinter& printer, const std::string& title, StopToken stop) {
    return [&printer, title, stop](const HubProgress& progress) mutable {
        if (SignalCounter::seen() > 0) stop.request(StopRequest::cancel);
        RunRecord shown;
        shown.id = shown.name = title;
        shown.progress = to_progress(progress);
        printer.show(shown);
    };
}

void add_hub_verbs(CLI::App& app, Action& action) {
    auto* group =
        app.add_subcommand("hub", "Lists and downloads models and data sets of the Hugging Face Hub");
    group->require_subcommand(0, 1);
    auto listing = std::make_shared<HubOptions>();
    auto* list_verb = group->add_subcommand("list", "Shows the files of a repository");
    add_shared_options(*list_verb, *listing);
    list_verb->callback([listing, &action] { action = [listing] { return list(*listing); }; });

    auto options = std::make_shared<HubOptions>();
    auto* verb = group->add_subcommand("download", "Fetches what a model or data set needs into the cache "
                                                   "that Python's huggingface_hub uses too; a token "
                                                   "is read from HF_TOKEN or from its login");
    add_shared_options(*verb, *options);
    verb->add_option("--include", options->patterns,
                     "Fetch the files of this pattern instead, e.g. \"*.gguf\"; may be repeated")
        ->type_name("GLOB");
    verb->add_flag("--all", options->all, "Fetch every file");
    verb->add_option("--parallel", options->parallel, "Files at a time (4)")->check(CLI::Range(1, 16));
    verb->add_flag("--quiet", options->quiet, "Show no progress");
    verb->callback([options, &action] {
        action = [options] {
            return until_signalled([&](const StopToken& stop) { return download(*options, stop); });
        };
    });
}

} // namespace tempera::cli
