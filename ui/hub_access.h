#pragma once

#include "core/net/hub.h"
#include "ui/jobs.h"

#include <functional>

namespace tempera {

class KeyRing;
class SettingsStore;

/// How the hub is reached by the user's settings of this moment: the environment's where they say nothing.
/// May be called from any thread but the GUI's: it reads a file and waits for the keychain.
using HubSource = std::function<HubSettings()>;
HubSource hubSource(const SettingsStore& settings, const KeyRing& keys);

/// Fetches what a plan lacks; the free disk is checked first.
Jobs::Work hubDownloadWork(HubSource source, HubPlan plan);

} // namespace tempera
