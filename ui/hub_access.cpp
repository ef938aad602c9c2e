#include "ui/hub_access.h"

#include "core/base/folder_copy.h"
#include "ui/hub_words.h"
#include "ui/key_ring.h"
#include "ui/settings_store.h"
#include "ui/theme/text.h"

namespace tempera {

HubSource hubSource(const SettingsStore& settings, const KeyRing& keys) {
    return [mirror = fromQt(settings.mirror()), cache = fromQt(settings.hubCache()),
            offline = settings.offline(), lookup = keys.lookup()] {
        HubSettings hub = hub_settings();
        if (!mirror.empty()) hub.endpoint = hub_address(mirror);
        if (!cache.empty()) hub.cache = cache;
        hub.offline = hub.offline || offline;
        if (hub.token.empty()) hub.token = cleaned_token(lookup(KeyRing::hub_name));
        return hub;
    };
}

Jobs::Work hubDownloadWork(HubSource source, HubPlan plan) {
    return [source = std::move(source), plan = std::move(plan)](const Jobs::Report& report,
                                                                const StopToken& stop) {
        Hub hub;
        hub.settings = source();
        require_space(hub.settings.cache, plan.missing_bytes, "The download");
        const auto told = [&](const HubProgress& progress) {
            report({progress.files_total > 1 ? std::to_string(progress.files_done) + " of "
                                                   + std::to_string(progress.files_total) + " files"
                                             : progress.file,
                    double(progress.done), double(progress.total)});
        };
        const std::filesystem::path target = askHub([&] { return download_hub(hub, plan, told, stop); });
        return to_text(plan.listing.name) + " is in " + target.string() + ".";
    };
}

} // namespace tempera
