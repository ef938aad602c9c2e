#pragma once

#include "core/data/jsonl.h"
#include "core/text/chat_template.h"

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tempera {

/// The turns in a column that is a list of {"role", "content"}. Throws RowError naming file, row and column
/// where it is another thing, is longer than 1000 turns or has a role that is not system, user or
/// assistant.
std::vector<ChatMessage> messages_in(const JsonRow& row, const char* column);

/// A prompt and what answers it, as text. `templated`: the text came out of a chat template, so special
/// tokens and the end of the answer stand in it, and the tokenizer adds none.
struct PromptAndAnswer {
    std::string prompt;
    std::string answer;
    bool templated = false;
};

/// Puts conversations into a model's own form. The template is read when the first conversation comes.
class ConversationRenderer {
public:
    /// `model` is a folder with the tokenizer's files. `system` stands before conversations that begin
    /// without a system turn; "" = what the template does itself.
    explicit ConversationRenderer(std::filesystem::path model, std::string system = "")
        : model_(std::move(model)), system_(std::move(system)) {}

    /// As TRL 1.16 renders prompt-completion data: `prompt` with the start of the assistant's turn, and what
    /// the whole conversation has after it. Where the template renders the prompt in another way alone than
    /// before an answer, the prompt ends where the two stop to agree.
    /// Throws Error(bad_input, unsupported) as ChatTemplate does.
    PromptAndAnswer render(std::span<const ChatMessage> prompt, std::span<const ChatMessage> answer);

private:
    std::filesystem::path model_;
    std::string system_;
    std::optional<ChatTemplate> template_;
};

/// Bytes that two texts share at their beginning, not counting a character they share in part.
std::size_t common_prefix(std::string_view a, std::string_view b);

} // namespace tempera
