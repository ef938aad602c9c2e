#include "core/net/endpoint.h"

#include "core/base/error.h"
#include "core/base/file_lock.h"
#include "core/base/files.h"
#include "core/base/joined.h"
#include "core/base/resources.h"
#include "core/base/suggest.h"
#include "core/net/http.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace fs = std::filesystem;

namespace tempera {

namespace {

constexpr std::string_view reference_prefix = "endpoint:";
constexpr std::size_t largest_file = 1u << 20;

bool is_word(std::string_view text, std::string_view beside) {
    return !text.empty() && std::ranges::all_of(text, [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
               || beside.find(c) != beside.npos;
    });
}

bool is_plain(std::string_view text) {
    return std::ranges::all_of(text, [](unsigned char c) { return c > 0x20 && c != 0x7f; });
}

std::string problem_of_address(const Endpoint& e) {
    const auto origin = is_plain(e.base_url) ? origin_of(e.base_url) : std::nullopt;
    if (!origin || !(origin->starts_with("http://") || origin->starts_with("https://")))
        return "base_url must be an address such as https://api.example.org/v1.";
    const auto host_end = e.base_url.find('/', e.base_url.find("://") + 3);
    if (e.base_url.substr(0, host_end).find('@') != std::string::npos
        || e.base_url.find_first_of("?#") != std::string::npos)
        return "base_url must hold no user, password, query or fragment: keys belong in the environment.";
    if (origin->starts_with("https://") || is_loopback(e.base_url)) return "";
    if (!e.allow_plain_http)
        return "base_url is plain http to another machine, where everyone on the way reads along: use https, "
               "or consent with allow_plain_http.";
    if (!e.key_variable.empty())
        return "key_variable must be empty with plain http to another machine: a key is never sent there.";
    return "";
}

/// What a user may have pasted instead of a variable's name.
bool looks_like_a_key(const std::string& text) {
    return text.starts_with("hf_") || text.starts_with("sk_") || text.size() > 64;
}

/// Ties the JSON name of every field to its member.
template <class E, class Visit>
void visit_fields(E& e, Visit&& visit) {
    visit("name", e.name);
    visit("base_url", e.base_url);
    visit("model", e.model);
    visit("key_variable", e.key_variable);
    visit("dialect", e.dialect);
    visit("concurrency", e.concurrency);
    visit("requests_per_minute", e.requests_per_minute);
    visit("tokens_per_minute", e.tokens_per_minute);
    visit("price_in", e.price_in);
    visit("price_out", e.price_out);
    visit("allow_plain_http", e.allow_plain_http);
}

void take(const Json& value, std::string& member, const std::string& what) {
    if (!value.is_string()) fail(ErrorKind::bad_input, what + " must be a text.");
    member = value.get<std::string>();
}
void take(const Json& value, double& member, const std::string& what) {
    if (!value.is_number()) fail(ErrorKind::bad_input, what + " must be a number.");
    member = value.get<double>();
}
void take(const Json& value, int& member, const std::string& what) {
    if (!value.is_number_integer() || value < 0 || value > 1000000)
        fail(ErrorKind::bad_input, what + " must be a whole number.");
    member = value.get<int>();
}
void take(const Json& value, bool& member, const std::string& what) {
    if (!value.is_boolean()) fail(ErrorKind::bad_input, what + " must be true or false.");
    member = value.get<bool>();
}

Endpoint endpoint_from(const Json& row, const std::string& where) {
    if (!row.is_object()) fail(ErrorKind::bad_input, where + " must be an object.");
    Endpoint endpoint;
    std::vector<std::string> known;
    visit_fields(endpoint, [&](const char* name, auto& member) {
        known.push_back(name);
        if (auto found = row.find(name); found != row.end())
            take(*found, member, where + ", field " + name + ",");
    });
    for (const auto& [name, value] : row.items())
        if (std::ranges::find(known, name) == known.end())
            fail(ErrorKind::bad_input,
                 where + " has an unknown field \"" + name + "\"." + did_you_mean(name, known)
                     + (name.find("key") != std::string::npos || name.find("token") != std::string::npos
                            ? " Keys are never kept here: name an environment variable in key_variable."
                            : ""));
    return endpoint;
}

/// Reads the file, lets `change` work on what it holds and writes it, while no other program does the same.
void change_endpoints(const fs::path& file, const std::function<void(std::vector<Endpoint>&)>& change) {
    make_folders(file.parent_path());
    const FileLock lock(file.string() + ".lock"); // beside it: the file itself is replaced by every change
    std::vector<Endpoint> endpoints = own_endpoints(file);
    change(endpoints);
    Json rows = Json::array();
    for (const Endpoint& endpoint : endpoints)
        rows.push_back(to_json(endpoint));
    write_file_atomic(file,
                      Json{{"endpoints", rows}}.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

Endpoint made(const char* name, const char* url, const char* model, const char* variable,
              const char* dialect) {
    Endpoint endpoint;
    endpoint.name = name;
    endpoint.base_url = url;
    endpoint.model = model;
    endpoint.key_variable = variable;
    endpoint.dialect = dialect;
    return endpoint;
}

} // namespace

std::vector<std::string> problems_of(const Endpoint& e) {
    std::vector<std::string> list;
    if (!is_word(e.name, "._-")) list.push_back("name must be made of letters, digits, '.', '_' and '-'.");
    if (std::string problem = problem_of_address(e); !problem.empty()) list.push_back(problem);
    if (!is_plain(e.model)) list.push_back("model must hold no spaces.");
    const bool digit_first = !e.key_variable.empty() && e.key_variable[0] >= '0' && e.key_variable[0] <= '9';
    if (!e.key_variable.empty()
        && (!is_word(e.key_variable, "_") || digit_first || looks_like_a_key(e.key_variable)))
        list.push_back("key_variable must be the name of an environment variable, not a key.");
    const std::vector<std::string> dialects = {"openai", "vllm", "llama.cpp"};
    if (std::ranges::find(dialects, e.dialect) == dialects.end())
        list.push_back("dialect must be openai, vllm or llama.cpp." + did_you_mean(e.dialect, dialects));
    if (e.concurrency < 1 || e.concurrency > 256) list.push_back("concurrency must be 1 to 256.");
    for (const auto& [name, value] : {std::pair("requests_per_minute", e.requests_per_minute),
                                      std::pair("tokens_per_minute", e.tokens_per_minute),
                                      std::pair("price_in", e.price_in), std::pair("price_out", e.price_out)})
        if (!(value >= 0 && value <= 1e9))
            list.push_back(std::string(name) + " must be a number from 0 to 1e9.");
    return list;
}

const std::vector<Endpoint>& built_in_endpoints() {
    static const std::vector<Endpoint> list = {
        made("llama.cpp", "http://127.0.0.1:8080/v1", "default", "", "llama.cpp"),
        made("nvidia", "https://integrate.api.nvidia.com/v1", "nvidia/llama-3.1-nemotron-70b-reward",
             "NVIDIA_API_KEY", "openai"),
        made("ollama", "http://127.0.0.1:11434/v1", "", "", "openai"),
        made("openai", "https://api.openai.com/v1", "gpt-4o", "OPENAI_API_KEY", "openai"),
        made("vllm", "http://127.0.0.1:8000/v1", "", "", "vllm"),
    };
    return list;
}

fs::path endpoints_file() {
    return config_folder() / "endpoints.json";
}

std::vector<Endpoint> own_endpoints(const fs::path& file) {
    std::error_code ignored;
    if (!fs::exists(file, ignored)) return {};
    const Json json = read_json_file(file, largest_file);
    const auto rows = json.is_object() ? json.find("endpoints") : json.end();
    if (!json.is_object() || rows == json.end() || !rows->is_array())
        fail(ErrorKind::bad_input, file.string() + " must hold {\"endpoints\": [..]}.");
    std::vector<Endpoint> list;
    for (std::size_t i = 0; i < rows->size(); ++i) {
        const std::string where = file.string() + ", endpoint " + std::to_string(i + 1);
        list.push_back(endpoint_from((*rows)[i], where));
        if (!is_word(list.back().name, "._-"))
            fail(ErrorKind::bad_input, where + ": " + problems_of(list.back()).front());
        for (std::size_t k = 0; k < i; ++k)
            if (list[k].name == list[i].name)
                fail(ErrorKind::bad_input, where + " has the name \"" + list[i].name + "\" of another one.");
    }
    return list;
}

std::vector<Endpoint> load_endpoints(const fs::path& file) {
    std::vector<Endpoint> list = own_endpoints(file);
    for (const Endpoint& endpoint : built_in_endpoints())
        if (std::ranges::find(list, endpoint.name, &Endpoint::name) == list.end()) list.push_back(endpoint);
    std::ranges::sort(list, {}, &Endpoint::name);
    return list;
}

void save_endpoint(const Endpoint& endpoint, const fs::path& file) {
    if (const auto problems = problems_of(endpoint); !problems.empty())
        fail(ErrorKind::bad_input, "Endpoint \"" + endpoint.name + "\": " + problems.front());
    change_endpoints(file, [&](std::vector<Endpoint>& list) {
        auto found = std::ranges::find(list, endpoint.name, &Endpoint::name);
        if (found == list.end())
            list.push_back(endpoint);
        else
            *found = endpoint;
    });
}

void remove_endpoint(const std::string& name, const fs::path& file) {
    change_endpoints(file, [&](std::vector<Endpoint>& list) {
        auto found = std::ranges::find(list, name, &Endpoint::name);
        if (found == list.end()) {
            std::vector<std::string> names;
            for (const Endpoint& endpoint : list)
                names.push_back(endpoint.name);
            fail(ErrorKind::not_found,
                 file.string() + " holds no endpoint \"" + name + "\"." + did_you_mean(name, names));
        }
        list.erase(found);
    });
}

Endpoint find_endpoint(const std::string& name, const fs::path& file) {
    std::vector<std::string> names;
    for (Endpoint& endpoint : load_endpoints(file)) {
        names.push_back(endpoint.name);
        if (endpoint.name != name) continue;
        if (const auto problems = problems_of(endpoint); !problems.empty())
            fail(ErrorKind::bad_input,
                 "Endpoint \"" + name + "\" in " + file.string() + ": " + problems.front());
        return endpoint;
    }
    fail(ErrorKind::not_found, "There is no endpoint \"" + name + "\", only " + joined(names)
                                   + ": add it with tempera-cli endpoints add." + did_you_mean(name, names));
}

std::string find_key(const Endpoint& endpoint, const KeyLookup& keys) {
    if (endpoint.key_variable.empty()) return "";
    const char* value = std::getenv(endpoint.key_variable.c_str());
    std::string key = value ? value : "";
    if (key.empty() && keys) key = keys(endpoint.name);
    const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
    while (!key.empty() && is_space(key.back()))
        key.pop_back();
    key.erase(key.begin(), std::ranges::find_if_not(key, is_space));
    return key;
}

Json to_json(const Endpoint& endpoint) {
    Json json;
    visit_fields(endpoint, [&](const char* name, const auto& member) { json[name] = member; });
    return json;
}

bool names_an_endpoint(std::string_view reference) {
    return reference.starts_with(reference_prefix);
}

Endpoint referred_endpoint(const std::string& reference, const fs::path& file) {
    const std::string rest = reference.substr(std::min(reference.size(), reference_prefix.size()));
    const auto slash = rest.find('/');
    Endpoint endpoint = find_endpoint(rest.substr(0, slash), file);
    if (slash != rest.npos) endpoint.model = rest.substr(slash + 1);
    if (endpoint.model.empty())
        fail(ErrorKind::bad_input, "\"" + reference + "\" names no model: write endpoint:" + endpoint.name
                                       + "/MODEL; tempera-cli endpoints test " + endpoint.name
                                       + " lists those it has.");
    if (const auto problems = problems_of(endpoint); !problems.empty())
        fail(ErrorKind::bad_input, "\"" + reference + "\": " + problems.front());
    return endpoint;
}

} // namespace tempera
