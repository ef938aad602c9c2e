#pragma once

#include "core/base/stop_token.h"
#include "core/net/http.h"
#include "core/net/hub_name.h"
#include "core/net/hub_settings.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace tempera {

/// The Hugging Face Hub, or a mirror of it. One may serve many threads. The functions below throw
/// Error(not_found) for what is not there or may not be read, Error(io) for what the network did,
/// Error(bad_input) for a listing that is not to be trusted, Error(disk_full), Error(stopped).
struct Hub {
    HubSettings settings = hub_settings();
    HttpClient http;
};

struct HubFile {
    std::string path; ///< below the repository, "/" between its parts
    std::uint64_t size = 0;
    std::string blob; ///< the content's name: SHA-256 (64 digits) of a large file, else Git's (40); "" where
                      ///< only the cache was asked
    bool cached = false;
};

/// What a repository holds.
struct HubListing {
    HubName name;
    std::string commit; ///< 40 hexadecimal digits
    std::vector<HubFile> files;
    bool from_cache = false; ///< offline: only what is there
};

/// Which files of a repository.
struct HubSelection {
    bool all = false;
    std::vector<std::string>
        patterns; ///< shell patterns of paths, e.g. "*.gguf"; without one, what is needed
};

/// What a download would fetch.
struct HubPlan {
    HubListing listing;
    std::vector<HubFile> files;      ///< the chosen ones
    std::uint64_t bytes = 0;         ///< of all of them
    std::uint64_t missing_bytes = 0; ///< to be fetched; what an earlier download began is not counted
    std::filesystem::path target;    ///< the folder (or file) that the name stands for, once it is there
    std::uint64_t free_bytes = 0;    ///< on the cache's disk
    bool complete() const { return missing_bytes == 0; }
};

struct HubProgress {
    std::uint64_t done = 0, total = 0; ///< bytes; what an earlier download began counts as done
    double rate = 0;                   ///< bytes a second over the last seconds
    int files_done = 0, files_total = 0;
    std::string file; ///< one that is under way
};
using HubProgressSink = std::function<void(const HubProgress&)>;

/// Every file of the repository; from the cache where the settings say offline.
HubListing list_hub(const Hub& hub, const HubName& name, const StopToken& stop = {});

/// The files that are asked for and what is missing of them. Without a selection: of a model its
/// configuration, tokenizer, safetensors, chat template, README and licence, beside one another in the
/// repository or in the folder `name.path`; of a data set its Parquet, JSONL, JSON and CSV files. A file that
/// `name.path` names (a GGUF) is taken alone. Refuses a model without safetensors, naming what it has.
HubPlan plan_hub(const Hub& hub, const HubName& name, const HubSelection& selection = {},
                 const StopToken& stop = {});

/// The files of `listing` that plan_hub() would choose. Throws as it.
std::vector<HubFile> chosen_files(const HubListing& listing, const HubSelection& selection = {});

/// Fetches what is missing: several files at a time, each into blobs/NAME.incomplete and only with the right
/// size and hash into the cache; goes on where an earlier download broke off. Returns plan.target.
/// `progress` is called in this thread some ten times a second, and at the end.
std::filesystem::path download_hub(const Hub& hub, const HubPlan& plan, const HubProgressSink& progress = {},
                                   const StopToken& stop = {});

/// plan.target of the files that are in the cache, without asking the hub, where all that is needed is there;
/// empty where it is not.
std::filesystem::path cached_hub(const HubSettings& settings, const HubName& name);

/// What is in the cache already, else downloaded; the sentence for offline where it is neither.
std::filesystem::path obtain_hub(const Hub& hub, const HubName& name, const HubProgressSink& progress = {},
                                 const StopToken& stop = {});

} // namespace tempera
