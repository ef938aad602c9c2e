#pragma once

#include "core/net/hub.h"
#include "core/store/records.h"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace tempera {

/// How a name of the hub in a model or data field becomes files. Without one (a null pointer in ModelScope)
/// only what is in the cache already is taken.
struct HubAccess {
    std::function<HubSettings()> settings = hub_settings; ///< asked in the thread that fetches
    HubProgressSink progress;
    StopToken stop;
    std::function<void(const std::string&)> notice; ///< told which copy is taken where the hub is not asked
};

/// The repository that a field's text names: it has the form owner/name[/path][@revision] (in a data field
/// with "#SPLIT" behind it), and no file or
/// folder of this machine has that name. Nullopt for any other text.
std::optional<HubName> referred_repository(const std::string& reference, HubKind kind);

/// The folder, or the file where the name has a path of one, in the hub's cache: what is there already
/// without asking the hub, else downloaded where `access` allows it. Throws Error(not_found) with what to do
/// where it is not there, and as download_hub().
std::filesystem::path resolve_repository(const HubName& name, const HubAccess* access);

/// Which copy in the cache a name stands for, and when the hub last said so: "commit 0123456789ab, which is
/// what "main" was on 2026-11-23 14:32"; "" where there is none.
std::string words_of_copy(const HubSettings& settings, const HubName& name);

/// What can be said without a network: refuses what is neither in the cache nor to be had offline.
/// Throws Error(not_found).
void check_repository(const HubName& name);

/// A download as a run's progress: phase "downloading", megabytes.
Progress to_progress(const HubProgress& progress);

} // namespace tempera
