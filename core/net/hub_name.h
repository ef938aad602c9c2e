#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tempera {

enum class HubKind { model, data_set };

/// owner/name[/path][@revision]: a repository of the Hugging Face Hub, or a file or folder in it.
struct HubName {
    HubKind kind = HubKind::model;
    std::string owner, name;
    std::string path; ///< of a file or folder inside, "" for the whole
    std::string revision = "main";

    std::string repository() const { return owner + "/" + name; }
};

/// Nullopt where the text has not that form. Two words with a "/" between them that end like a file
/// ("data/train.jsonl", "models/a.gguf") are taken for a path of this machine, not for a repository.
std::optional<HubName> parse_hub_name(std::string_view text, HubKind kind);

/// The text that parse_hub_name() reads back.
std::string to_text(const HubName& name);

/// "model" or "data set".
const char* word_of(HubKind kind);

/// Whether a name from the network is one of a file below a folder, on every system: "/" between plain
/// names; no "..", drive, backslash, control character or name of dots and blanks alone.
bool is_safe_path(std::string_view path);

/// Whether the text is that many lower-case hexadecimal digits.
bool is_hex(std::string_view text, std::size_t digits);

} // namespace tempera
