#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

namespace tempera {

/// How the hub is reached, and where its files are kept.
struct HubSettings {
    std::string endpoint = "https://huggingface.co"; ///< or a mirror's address, without "/" at the end
    std::filesystem::path cache;                     ///< of huggingface_hub's layout
    std::string token;                               ///< "" for none
    bool offline = false;                            ///< only what is in the cache
    int parallel = 4;                                ///< files at a time
    int tries = 5;                                   ///< of a request that gets nowhere
    std::chrono::milliseconds pause{500};            ///< before the second try; then twice as long each time
    std::chrono::milliseconds longest_pause{120000}; ///< that a server may ask for (Retry-After)
};

/// As huggingface_hub reads its environment: HF_ENDPOINT; HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME/hub,
/// XDG_CACHE_HOME/huggingface/hub, ~/.cache/huggingface/hub; HF_HUB_OFFLINE, TRANSFORMERS_OFFLINE; the token
/// from HF_TOKEN, HUGGING_FACE_HUB_TOKEN, or the file HF_TOKEN_PATH (HF_HOME/token), unless
/// HF_HUB_DISABLE_IMPLICIT_TOKEN is set. Throws Error(not_found) where HOME is needed and not set.
HubSettings hub_settings();

/// An address as HubSettings has it, whatever "/" it was given with at its end.
std::string hub_address(std::string given);

/// A token without white space and line breaks around it.
std::string cleaned_token(const std::string& text);

} // namespace tempera
