#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tempera {

struct ChatMessage {
    std::string role; ///< "system", "user" or "assistant"
    std::string content;
};

enum class ChatStyle { plain, chatml, llama3, gemma };

struct ChatOptions {
    /// Whether the text ends where the assistant's answer begins.
    bool add_generation_prompt = true;
    /// Today's date in a Llama 3.1 or 3.2 system turn, "26 Jul 2024"; empty: as their templates have it (3.1
    /// that day, 3.2 today).
    std::string date = {};
};

/// Turns a conversation into a model's prompt text, as transformers' apply_chat_template does with the
/// template of the model (golden test). The text holds the special tokens, the begin-of-text one included:
/// encode it without adding any.
///
/// A template is a Jinja program; Tempera runs none. It knows the programs of four families and refuses every
/// other one:
///  - ChatML (Qwen2, Qwen2.5, SmolLM2, ...), with or without a default system turn;
///  - Llama 3, 3.1 and 3.2; Gemma 1, 2 and 3; plain: the contents alone, with an empty line between them.
class ChatTemplate {
public:
    /// The one of `folder`: chat_template.jinja, else "chat_template" of tokenizer_config.json (its "default"
    /// where there are several), else plain. Throws Error(unsupported) that names the choices where it is
    /// none of the families.
    static ChatTemplate load(const std::filesystem::path& folder);
    /// Recognises a template's text; `source` names it in the error.
    static ChatTemplate recognise(const std::string& text, const std::string& bos_token,
                                  const std::string& source);
    /// By name, one of names(). Throws Error(bad_input).
    static ChatTemplate named(std::string_view name);
    /// "chatml", "llama-3", "gemma", "plain".
    static const std::vector<std::string>& names();

    /// Throws Error(bad_input) for a role that is none of the three, and where the family forbids the order
    /// (Gemma: turns alternate, begun by the user).
    std::string apply(std::span<const ChatMessage> messages, const ChatOptions& options = {}) const;

    ChatStyle style() const { return style_; }
    const std::string& name() const { return names()[static_cast<std::size_t>(style_)]; }
    /// The token that ends the assistant's turn; empty for plain.
    std::string end_of_turn() const;

private:
    enum class SystemDate {
        none,
        fixed,
        today
    }; ///< Llama 3.1, 3.2: a system turn with dates is always there

    std::string apply_chatml(std::span<const ChatMessage> messages, const ChatOptions& options) const;
    std::string apply_llama3(std::span<const ChatMessage> messages, const ChatOptions& options) const;
    std::string apply_gemma(std::span<const ChatMessage> messages, const ChatOptions& options) const;

    ChatStyle style_ = ChatStyle::plain;
    std::string bos_;
    std::string default_system_; ///< ChatML: the system turn of a conversation without one; empty = none
    SystemDate system_date_ = SystemDate::none; ///< Llama 3
    bool system_in_first_turn_ = false;         ///< Gemma 3; the older ones refuse a system message
};

} // namespace tempera
