#include "core/text/chat_template.h"

#include "core/base/error.h"
#include "core/text/json_fields.h"
#include "core/text/utf8.h"

#include <algorithm>
#include <ctime>

namespace tempera {

namespace {

bool is_python_space(char32_t c) {
    return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680
           || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F
           || c == 0x3000;
}

/// Jinja's trim: Python's str.strip(). Text that is not UTF-8 is left alone at its broken end.
std::string_view trimmed(std::string_view text) {
    if (!is_valid_utf8(text)) return text;
    while (!text.empty()) {
        CodePoint first = code_point_at(text, 0);
        if (!is_python_space(first.value)) break;
        text.remove_prefix(first.end);
    }
    while (!text.empty()) {
        std::size_t last = code_point_before(text, text.size());
        if (!is_python_space(code_point_at(text, last).value)) break;
        text.remove_suffix(text.size() - last);
    }
    return text;
}

std::string todays_date() {
    std::time_t now = std::time(nullptr);
    std::tm local{};
    localtime_r(&now, &local);
    static const char* const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
                                         "Aug", "Sep", "Oct", "Nov", "Dec"}; // strftime's follow the locale
    char text[32];
    std::snprintf(text, sizeof text, "%02d %s %d", local.tm_mday, months[local.tm_mon], local.tm_year + 1900);
    return text;
}

void check_roles(std::span<const ChatMessage> messages) {
    if (messages.empty()) fail(ErrorKind::bad_input, "A conversation needs at least one message.");
    for (const ChatMessage& message : messages)
        if (message.role != "system" && message.role != "user" && message.role != "assistant")
            fail(ErrorKind::bad_input, "The role " + text_json::quoted(message.role)
                                           + " is not known; use system, user or assistant.");
}

} // namespace

const std::vector<std::string>& ChatTemplate::names() {
    static const std::vector<std::string> names{"plain", "chatml", "llama-3",
                                                "gemma"}; // in ChatStyle's order
    return names;
}

ChatTemplate ChatTemplate::named(std::string_view name) {
    auto found = std::find(names().begin(), names().end(), name);
    if (found == names().end())
        fail(ErrorKind::bad_input, "There is no chat template " + text_json::quoted(name)
                                       + "; choose chatml, llama-3, gemma or plain.");
    ChatTemplate result;
    result.style_ = static_cast<ChatStyle>(found - names().begin());
    if (result.style_ == ChatStyle::llama3) result.bos_ = "<|begin_of_text|>";
    if (result.style_ == ChatStyle::gemma) result.bos_ = "<bos>";
    result.system_in_first_turn_ = true;
    return result;
}

std::string ChatTemplate::end_of_turn() const {
    switch (style_) {
    case ChatStyle::chatml:
        return "<|im_end|>";
    case ChatStyle::llama3:
        return "<|eot_id|>";
    case ChatStyle::gemma:
        return "<end_of_turn>";
    case ChatStyle::plain:
        break;
    }
    return "";
}

std::string ChatTemplate::apply(std::span<const ChatMessage> messages, const ChatOptions& options) const {
    check_roles(messages);
    switch (style_) {
    case ChatStyle::chatml:
        return apply_chatml(messages, options);
    case ChatStyle::llama3:
        return apply_llama3(messages, options);
    case ChatStyle::gemma:
        return apply_gemma(messages, options);
    case ChatStyle::plain:
        break;
    }
    std::string out;
    for (const ChatMessage& message : messages)
        out += (out.empty() ? "" : "\n\n") + message.content;
    return out;
}

std::string ChatTemplate::apply_chatml(std::span<const ChatMessage> messages,
                                       const ChatOptions& options) const {
    std::string out;
    auto turn = [&](const std::string& role, const std::string& content) {
        out += "<|im_start|>" + role + "\n" + content + "<|im_end|>\n";
    };
    if (!default_system_.empty() && messages.front().role != "system") turn("system", default_system_);
    for (const ChatMessage& message : messages)
        turn(message.role, message.content);
    if (options.add_generation_prompt) out += "<|im_start|>assistant\n";
    return out;
}

std::string ChatTemplate::apply_llama3(std::span<const ChatMessage> messages,
                                       const ChatOptions& options) const {
    std::string out = bos_;
    auto turn = [&](std::string_view role, std::string_view content) {
        out.append("<|start_header_id|>")
            .append(role)
            .append("<|end_header_id|>\n\n")
            .append(content)
            .append("<|eot_id|>");
    };
    if (system_date_ != SystemDate::none) {
        std::string date = options.date;
        if (date.empty()) date = system_date_ == SystemDate::today ? todays_date() : "26 Jul 2024";
        std::string system = "Cutting Knowledge Date: December 2023\nToday Date: " + date + "\n\n";
        if (messages.front().role == "system") {
            system += trimmed(messages.front().content);
            messages = messages.subspan(1);
        }
        turn("system", system);
    }
    for (const ChatMessage& message : messages)
        turn(message.role, trimmed(message.content));
    if (options.add_generation_prompt) out += "<|start_header_id|>assistant<|end_header_id|>\n\n";
    return out;
}

std::string ChatTemplate::apply_gemma(std::span<const ChatMessage> messages,
                                      const ChatOptions& options) const {
    std::string out = bos_, prefix;
    if (messages.front().role == "system") {
        if (!system_in_first_turn_)
            fail(ErrorKind::bad_input,
                 "This model's chat template takes no system message; put it into the user's first one.");
        prefix = messages.front().content + "\n\n";
        messages = messages.subspan(1);
    }
    bool users_turn = true;
    for (const ChatMessage& message : messages) {
        if (message.role != (users_turn ? "user" : "assistant"))
            fail(ErrorKind::bad_input, "Gemma's turns must alternate: user, assistant, user, and so on.");
        out.append(users_turn ? "<start_of_turn>user\n" : "<start_of_turn>model\n").append(prefix);
        out.append(trimmed(message.content)).append("<end_of_turn>\n");
        prefix.clear();
        users_turn = !users_turn;
    }
    if (options.add_generation_prompt) out += "<start_of_turn>model\n";
    return out;
}

} // namespace tempera
