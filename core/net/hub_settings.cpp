#include "core/net/hub_settings.h"

#include "core/base/error.h"
#include "core/base/files.h"

#include <cstdlib>

namespace fs = std::filesystem;

namespace tempera {

namespace {

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

bool is_true(const char* name) {
    std::string value = variable(name);
    for (char& c : value)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return value == "1" || value == "ON" || value == "YES" || value == "TRUE";
}

fs::path home() {
    const std::string folder = variable("HOME");
    if (folder.empty())
        fail(ErrorKind::not_found, "HOME is not set, so there is no place for the hub's files: set HF_HOME.");
    return folder;
}

/// The variable's path with "~" and $NAME at its beginning replaced, as a shell does; empty where it is not
/// set.
fs::path path_in(const char* name) {
    std::string text = variable(name);
    if (text == "~" || text.starts_with("~/"))
        return home() / text.substr(std::min<std::size_t>(2, text.size()));
    if (!text.starts_with('$')) return text;
    const auto slash = text.find('/');
    std::string inner = text.substr(1, slash == std::string::npos ? slash : slash - 1);
    if (inner.starts_with('{') && inner.ends_with('}')) inner = inner.substr(1, inner.size() - 2);
    const std::string value = variable(inner.c_str());
    return value.empty() ? text : value + (slash == std::string::npos ? "" : text.substr(slash));
}

fs::path hub_home() {
    if (fs::path given = path_in("HF_HOME"); !given.empty()) return given;
    if (fs::path given = path_in("XDG_CACHE_HOME"); !given.empty()) return given / "huggingface";
    return home() / ".cache" / "huggingface";
}

fs::path hub_cache() {
    for (const char* name : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"})
        if (fs::path given = path_in(name); !given.empty()) return given;
    return hub_home() / "hub";
}

std::string implicit_token() {
    if (is_true("HF_HUB_DISABLE_IMPLICIT_TOKEN")) return "";
    for (const char* name : {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"})
        if (std::string token = cleaned_token(variable(name)); !token.empty()) return token;
    fs::path file = path_in("HF_TOKEN_PATH");
    if (file.empty()) file = hub_home() / "token";
    std::error_code ignored;
    return fs::is_regular_file(file, ignored) ? cleaned_token(read_file(file, 1u << 16)) : "";
}

} // namespace

std::string cleaned_token(const std::string& text) {
    std::string token;
    for (char c : text)
        if (c != ' ' && c != '\t' && c != '\r' && c != '\n') token += c;
    return token;
}

std::string hub_address(std::string given) {
    while (given.ends_with('/'))
        given.pop_back();
    return given;
}

HubSettings hub_settings() {
    HubSettings settings;
    if (const std::string given = variable("HF_ENDPOINT"); !given.empty())
        settings.endpoint = hub_address(given);
    settings.cache = fs::absolute(hub_cache()).lexically_normal();
    settings.token = implicit_token();
    settings.offline = is_true("HF_HUB_OFFLINE") || is_true("TRANSFORMERS_OFFLINE");
    return settings;
}

} // namespace tempera
