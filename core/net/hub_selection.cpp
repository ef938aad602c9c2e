#include "core/net/hub_selection.h"

#include "core/base/error.h"
#include "core/base/joined.h"
#include "core/base/suggest.h"

#include <algorithm>
#include <array>
#include <fnmatch.h>
#include <map>
#include <set>

namespace tempera {

namespace {

bool matches(const std::string& name, const char* pattern) {
    return fnmatch(pattern, name.c_str(), FNM_PERIOD) == 0;
}

template <std::size_t N>
bool matches_any(const std::string& name, const std::array<const char*, N>& patterns) {
    return std::any_of(patterns.begin(), patterns.end(), [&](const char* p) { return matches(name, p); });
}

std::string file_name(const std::string& path) {
    return path.substr(path.rfind('/') + 1);
}

/// Of a model that lies in `folder` ("" or with "/" at its end). `whole` = model.safetensors or its index is
/// there; variants of it are then left alone.
bool is_of_model(const std::string& path, const std::string& folder, bool whole) {
    if (!path.starts_with(folder) || path.find('/', folder.size()) != std::string::npos) return false;
    const std::string name = path.substr(folder.size());
    constexpr std::array needed{"config.json",
                                "generation_config.json",
                                "adapter_config.json",
                                "tokenizer*",
                                "special_tokens_map.json",
                                "added_tokens.json",
                                "vocab.json",
                                "vocab.txt",
                                "merges.txt",
                                "*.model",
                                "chat_template*",
                                "modules.json",
                                "*.safetensors.index.json"};
    if (matches_any(name, needed) || is_document(name)) return true;
    if (!name.ends_with(".safetensors") || name.starts_with("consolidated")) return false;
    return !whole || !matches(name, "model.*.safetensors");
}

bool is_of_data(const std::string& path, const std::string& folder) {
    if (!path.starts_with(folder)) return is_document(path);
    if (path.starts_with('.') || path.find("/.") != std::string::npos) return false;
    const std::string name = file_name(path);
    constexpr std::array endings{"*.parquet", "*.jsonl", "*.json", "*.csv"};
    const bool about = name == "dataset_infos.json" || name == "dataset_dict.json" || name == "state.json";
    return is_document(path) || (matches_any(name, endings) && !about);
}

std::vector<std::string> matching(const HubListing& listing, const char* pattern) {
    std::vector<std::string> paths;
    for (const HubFile& file : listing.files)
        if (matches(file_name(file.path), pattern)) paths.push_back(file.path);
    return paths;
}

std::string called(const HubListing& listing) {
    return std::string("The ") + word_of(listing.name.kind) + " " + listing.name.repository();
}

[[noreturn]] void fail_without_weights(const HubListing& listing) {
    if (const auto ggufs = matching(listing, "*.gguf"); !ggufs.empty())
        fail(ErrorKind::not_found, called(listing) + " has no safetensors, but GGUF files ("
                                       + joined_first(ggufs, 6) + "): name one, as "
                                       + listing.name.repository() + "/" + ggufs.front() + ".");
    const auto holds = [&](const char* pattern) { return !matching(listing, pattern).empty(); };
    if (holds("*.bin") || holds("*.pt") || holds("*.pth"))
        fail(ErrorKind::unsupported, called(listing)
                                         + " has its weights only as pickle files, which are programs and "
                                           "are not run here: look for a "
                                           "revision with safetensors.");
    fail(ErrorKind::not_found,
         called(listing) + " has no safetensors files"
             + (listing.from_cache ? " in the cache." : ": it is no model that can be loaded."));
}

[[noreturn]] void fail_without_data(const HubListing& listing) {
    std::string sentence = called(listing) + " has no Parquet, JSONL, JSON or CSV file";
    if (!listing.name.path.empty()) sentence += " in " + listing.name.path;
    sentence += listing.from_cache ? " in the cache." : ".";
    if (listing.name.path.empty() && listing.name.revision == "main" && !listing.from_cache)
        sentence += " Its Parquet copy may be at " + listing.name.repository() + "@refs/convert/parquet.";
    fail(ErrorKind::not_found, sentence);
}

std::vector<HubFile> with(const HubListing& listing, auto&& wanted) {
    std::vector<HubFile> files;
    std::copy_if(listing.files.begin(), listing.files.end(), std::back_inserter(files),
                 [&](const HubFile& file) { return wanted(file.path); });
    return files;
}

/// The folder that the name's path means, with "/" at its end, or "" for the whole repository.
std::string folder_of(const HubListing& listing) {
    const std::string& path = listing.name.path;
    if (path.empty()) return "";
    const std::string folder = path + "/";
    std::vector<std::string> known;
    for (const HubFile& file : listing.files) {
        if (file.path.starts_with(folder)) return folder;
        known.push_back(file.path);
    }
    fail(ErrorKind::not_found, called(listing) + " has no file or folder " + path
                                   + (listing.from_cache ? " in the cache." : ".")
                                   + did_you_mean(path, known));
}

std::vector<HubFile> needed_files(const HubListing& listing) {
    const std::string folder = folder_of(listing);
    if (listing.name.kind == HubKind::data_set) {
        auto files = with(listing, [&](const std::string& path) { return is_of_data(path, folder); });
        const bool empty =
            std::all_of(files.begin(), files.end(), [](auto& f) { return is_document(f.path); });
        if (empty) fail_without_data(listing);
        return files;
    }
    const bool whole = std::any_of(listing.files.begin(), listing.files.end(), [&](const HubFile& file) {
        return file.path == folder + "model.safetensors"
               || file.path == folder + "model.safetensors.index.json";
    });
    auto files = with(listing, [&](const std::string& path) { return is_of_model(path, folder, whole); });
    if (std::none_of(files.begin(), files.end(), [](auto& f) { return f.path.ends_with(".safetensors"); }))
        fail_without_weights(listing);
    return files;
}

} // namespace

bool is_document(const std::string& path) {
    constexpr std::array documents{"README*", "LICENSE*", "LICENCE*", "NOTICE*"};
    return path.find('/') == std::string::npos && matches_any(path, documents);
}

std::vector<HubFile> chosen_files(const HubListing& listing, const HubSelection& selection) {
    const std::string& path = listing.name.path;
    if (!path.empty())
        if (auto one = with(listing, [&](const std::string& file) { return file == path; }); !one.empty())
            return one;
    if (!selection.all && selection.patterns.empty()) return needed_files(listing);
    const std::string folder = folder_of(listing);
    auto files = with(listing, [&](const std::string& file) {
        return file.starts_with(folder)
               && (selection.all
                   || std::any_of(selection.patterns.begin(), selection.patterns.end(),
                                  [&](const std::string& pattern) {
                                      return fnmatch(pattern.c_str(), file.c_str(), 0) == 0;
                                  }));
    });
    if (files.empty())
        fail(ErrorKind::not_found,
             called(listing) + " has no file like that: \"hub list\" shows what it has.");
    return files;
}

bool has_whole_sets(const std::vector<HubFile>& files) {
    std::map<std::string, std::set<std::string>> sets; // by the path without its number
    for (const HubFile& file : files) {
        const auto of = file.path.rfind("-of-");
        if (of == std::string::npos || of < 6 || file.path[of - 6] != '-') continue;
        const std::string number = file.path.substr(of - 5, 5);
        if (number.find_first_not_of("0123456789") == std::string::npos)
            sets[file.path.substr(0, of - 5) + file.path.substr(of)].insert(number);
    }
    return std::all_of(sets.begin(), sets.end(), [](const auto& set) {
        const auto& [name, numbers] = set;
        const std::string digits = name.substr(name.rfind("-of-") + 4, 5);
        return digits.find_first_not_of("0123456789") != std::string::npos
               || numbers.size() >= std::stoul(digits);
    });
}

} // namespace tempera
