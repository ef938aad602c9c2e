#pragma once

#include "core/base/json.h"

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tempera {

/// A server that speaks OpenAI's API, as it stands in the user's configuration. It never holds a key: only
/// the name of the environment variable that does.
struct Endpoint {
    std::string name;         ///< letters, digits, '.', '_' and '-'
    std::string base_url;     ///< with the version, e.g. "https://api.openai.com/v1"
    std::string model;        ///< what is asked where a request names none; may be ""
    std::string key_variable; ///< e.g. "OPENAI_API_KEY"; "" = the server wants no key
    /// Which sampling settings beside OpenAI's the server takes: "openai" (none), "vllm", "llama.cpp".
    std::string dialect = "openai";
    int concurrency = 4;            ///< requests under way at once
    double requests_per_minute = 0; ///< 0 = no limit
    double tokens_per_minute = 0;   ///< prompt and completion; 0 = no limit
    double price_in = 0;  ///< per million tokens of prompts, in the user's currency; 0 = free or unknown
    double price_out = 0; ///< per million tokens of completions
    /// The user's consent to http to a host that is not this machine. A key is not sent there even so.
    bool allow_plain_http = false;
};

/// What is wrong with it, one sentence each naming the field; empty = it can be used.
std::vector<std::string> problems_of(const Endpoint& endpoint);

/// "openai", "nvidia", "ollama", "llama.cpp", "vllm"; the last three on this machine.
const std::vector<Endpoint>& built_in_endpoints();

/// config_folder()/endpoints.json
std::filesystem::path endpoints_file();

/// Those of `file` and the built-in ones that it does not replace, by name. A file that does not exist is an
/// empty one. Throws Error(bad_input, io) naming file, endpoint and field; fields that it does not know are
/// refused, so that no key comes to lie there.
std::vector<Endpoint> load_endpoints(const std::filesystem::path& file = endpoints_file());
/// Those that `file` itself holds.
std::vector<Endpoint> own_endpoints(const std::filesystem::path& file = endpoints_file());
/// Adds or replaces the one of that name. Throws Error(bad_input) with the first problem, Error(io,
/// disk_full).
void save_endpoint(const Endpoint& endpoint, const std::filesystem::path& file = endpoints_file());
/// A built-in one is as shipped again. Throws Error(not_found) where `file` does not hold it.
void remove_endpoint(const std::string& name, const std::filesystem::path& file = endpoints_file());

/// Throws Error(not_found) with the nearest name, Error(bad_input) with its first problem.
Endpoint find_endpoint(const std::string& name, const std::filesystem::path& file = endpoints_file());

Json to_json(const Endpoint& endpoint);

/// Whether a model field names an endpoint: "endpoint:NAME" or "endpoint:NAME/MODEL".
bool names_an_endpoint(std::string_view reference);
/// The endpoint it names, with `model` set to MODEL where that is given. Throws as find_endpoint(), and
/// Error(bad_input) where no model is named at all.
Endpoint referred_endpoint(const std::string& reference,
                           const std::filesystem::path& file = endpoints_file());

/// Where a key comes from if the environment does not hold it, e.g. the desktop's keychain; "" = not there.
/// Gets the endpoint's name. Called from any thread.
using KeyLookup = std::function<std::string(const std::string& endpoint)>;

/// The key of an endpoint: from its environment variable, else from `keys`; without white space around it. ""
/// where the endpoint wants none or none is set.
std::string find_key(const Endpoint& endpoint, const KeyLookup& keys);

} // namespace tempera
