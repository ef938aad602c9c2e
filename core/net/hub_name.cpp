#include "core/net/hub_name.h"

#include <algorithm>
#include <array>

namespace tempera {

namespace {

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// The hub's own rule for owners and names.
bool is_word(std::string_view text) {
    auto fits = [](char c) {
        return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    };
    const bool bad_end = text.empty() || text.front() == '-' || text.front() == '.' || text.back() == '-'
                         || text.back() == '.' || text.ends_with(".git");
    return !bad_end && text.size() <= 96 && std::all_of(text.begin(), text.end(), fits)
           && text.find("--") == text.npos && text.find("..") == text.npos;
}

bool ends_like_a_file(std::string_view name) {
    constexpr std::array<std::string_view, 8> endings{".jsonl",   ".json", ".csv",         ".tsv",
                                                      ".parquet", ".txt",  ".safetensors", ".gguf"};
    return std::any_of(endings.begin(), endings.end(), [&](auto ending) { return name.ends_with(ending); });
}

} // namespace

bool is_hex(std::string_view text, std::size_t digits) {
    return text.size() == digits && std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
           });
}

bool is_safe_path(std::string_view path) {
    if (path.empty() || path.size() > 1024) return false;
    if (path.size() >= 2 && is_letter(path[0]) && path[1] == ':') return false;
    for (unsigned char c : path)
        if (c < 0x20 || c == 0x7f || c == '\\') return false;
    for (std::size_t begin = 0; begin <= path.size();) {
        const std::size_t end = std::min(path.find('/', begin), path.size());
        const std::string_view part = path.substr(begin, end - begin);
        if (part.size() > 255 || part.find_first_not_of(". ") == part.npos) return false;
        begin = end + 1;
    }
    return true;
}

std::optional<HubName> parse_hub_name(std::string_view text, HubKind kind) {
    HubName parsed;
    parsed.kind = kind;
    const auto at = text.find('@');
    if (at != text.npos) parsed.revision = text.substr(at + 1);
    text = text.substr(0, at);
    const auto slash = text.find('/');
    if (slash == text.npos) return std::nullopt;
    const auto second = text.find('/', slash + 1);
    parsed.owner = text.substr(0, slash);
    parsed.name = text.substr(slash + 1, second == text.npos ? text.npos : second - slash - 1);
    if (second != text.npos) parsed.path = text.substr(second + 1);
    const bool named = is_word(parsed.owner) && is_word(parsed.name) && is_safe_path(parsed.revision);
    const bool inside = second == text.npos ? !ends_like_a_file(parsed.name) : is_safe_path(parsed.path);
    return named && inside ? std::optional(parsed) : std::nullopt;
}

std::string to_text(const HubName& name) {
    return name.repository() + (name.path.empty() ? "" : "/" + name.path)
           + (name.revision == "main" ? "" : "@" + name.revision);
}

const char* word_of(HubKind kind) {
    return kind == HubKind::model ? "model" : "data set";
}

} // namespace tempera
