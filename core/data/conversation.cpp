#include "core/data/conversation.h"

#include "core/base/error.h"

#include <algorithm>

namespace tempera {

std::vector<ChatMessage> messages_in(const JsonRow& row, const char* column) {
    constexpr std::size_t most_messages = 1000;
    auto refuse = [&](const std::string& what, RowFault fault = RowFault::wrong_type) {
        throw RowError(fault, row.place() + ": \"" + column + "\" " + what);
    };
    auto list = row.value.find(column);
    if (list == row.value.end() || !list->is_array())
        refuse("must be a list of {\"role\", \"content\"} with texts.");
    if (list->size() > most_messages) refuse("has more than " + std::to_string(most_messages) + " turns.");
    std::vector<ChatMessage> messages;
    for (const Json& turn : *list) {
        if (!turn.is_object() || !turn.contains("role") || !turn["role"].is_string()
            || !turn.contains("content") || !turn["content"].is_string())
            refuse("must be a list of {\"role\", \"content\"} with texts.");
        messages.push_back({turn["role"].get<std::string>(), turn["content"].get<std::string>()});
        const std::string& role = messages.back().role;
        if (role != "system" && role != "user" && role != "assistant")
            refuse("has the role " + to_json_line(role.substr(0, 40)) + "; use system, user or assistant.",
                   RowFault::unknown_role);
    }
    return messages;
}

std::size_t common_prefix(std::string_view a, std::string_view b) {
    auto count =
        static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
    auto inside = [](std::string_view text, std::size_t at) {
        return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
    };
    while (count > 0 && (inside(a, count) || inside(b, count)))
        --count;
    return count;
}

PromptAndAnswer ConversationRenderer::render(std::span<const ChatMessage> prompt,
                                             std::span<const ChatMessage> answer) {
    if (!template_) template_ = ChatTemplate::load(model_);
    std::vector<ChatMessage> messages(prompt.begin(), prompt.end());
    if (!system_.empty() && (messages.empty() || messages.front().role != "system"))
        messages.insert(messages.begin(), {"system", system_});
    ChatOptions whole;
    whole.add_generation_prompt = false;
    std::string head = messages.empty() ? "" : template_->apply(messages);
    messages.insert(messages.end(), answer.begin(), answer.end());
    std::string text = template_->apply(messages, whole);
    std::size_t shared = common_prefix(head, text);
    // The plain style ends no turn: the trainer's end-of-text token has to.
    return {text.substr(0, shared), text.substr(shared), template_->style() != ChatStyle::plain};
}

} // namespace tempera
