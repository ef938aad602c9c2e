#include "core/store/hub_reference.h"

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/data/data_files.h"
#include "core/net/hub_cache.h"

namespace fs = std::filesystem;

namespace tempera {

namespace {

constexpr double megabyte = 1e6;

std::string download_command(const HubName& name) {
    return std::string("tempera-cli hub download ") + (name.kind == HubKind::data_set ? "--dataset " : "")
           + to_text(name);
}

[[noreturn]] void fail_absent(const HubName& name, const HubSettings& settings) {
    const std::string what = std::string("There is no path \"") + to_text(name) + "\" here, and the "
                             + word_of(name.kind) + " of that name on the hub is not in the cache ("
                             + settings.cache.string() + ")";
    if (settings.offline)
        fail(ErrorKind::not_found,
             what + ", while offline is set (HF_HUB_OFFLINE): go online once, or copy it there.");
    fail(ErrorKind::not_found, what + ": download it first, with " + download_command(name) + ".");
}

/// Who mistyped a path must not be told of the hub alone.
HubPlan planned(const Hub& hub, const HubName& name, const StopToken& stop) {
    try {
        return plan_hub(hub, name, {}, stop);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::not_found && error.kind() != ErrorKind::io) throw;
        fail(error.kind(),
             "There is no path \"" + to_text(name) + "\" here, and of the hub: " + error.what());
    }
}

} // namespace

std::optional<HubName> referred_repository(const std::string& reference, HubKind kind) {
    // What a data field has behind "#" names a split, which is for the one to say who reads the files.
    const std::string text = kind == HubKind::data_set ? data_path_of(reference).path.string() : reference;
    std::error_code ignored;
    auto name = parse_hub_name(text, kind);
    return name && !fs::exists(text, ignored) ? name : std::nullopt;
}

fs::path resolve_repository(const HubName& name, const HubAccess* access) {
    const HubSettings settings = access ? access->settings() : hub_settings();
    if (fs::path found = cached_hub(settings, name); !found.empty()) {
        if (access && access->notice)
            access->notice(
                std::string("Takes the ") + word_of(name.kind) + " " + name.repository()
                + " from the cache: " + words_of_copy(settings, name)
                + (is_hex(name.revision, 40) ? "." : ". For news: " + download_command(name) + "."));
        return found;
    }
    if (!access || settings.offline) fail_absent(name, settings);
    const Hub hub{settings, {}};
    return download_hub(hub, planned(hub, name, access->stop), access->progress, access->stop);
}

std::string words_of_copy(const HubSettings& settings, const HubName& name) {
    const HubPlace place(settings, name);
    const std::string commit = cached_commit(place, name.revision);
    if (commit.empty()) return "";
    const std::string words = "commit " + commit.substr(0, 12);
    const std::int64_t asked = name.revision == commit ? 0 : commit_asked_ms(place, name.revision);
    return asked == 0 ? words
                      : words + ", which is what \"" + name.revision + "\" was on " + local_time(asked);
}

void check_repository(const HubName& name) {
    const HubSettings settings = hub_settings();
    if (settings.offline && cached_hub(settings, name).empty()) fail_absent(name, settings);
}

Progress to_progress(const HubProgress& progress) {
    Progress shown;
    shown.phase = "downloading";
    shown.done = static_cast<std::int64_t>(static_cast<double>(progress.done) / megabyte);
    shown.total = static_cast<std::int64_t>(static_cast<double>(progress.total) / megabyte + 1);
    if (progress.done == progress.total) shown.done = shown.total;
    shown.unit = "MB";
    shown.rate = progress.rate / megabyte;
    if (progress.rate > 0)
        shown.eta_seconds = static_cast<double>(progress.total - progress.done) / progress.rate;
    return shown;
}

} // namespace tempera
