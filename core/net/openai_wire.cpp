#include "core/net/openai_wire.h"

#include "core/base/error.h"

#include <algorithm>
#include <cmath>

namespace tempera {

namespace {

constexpr std::size_t largest_raw = 64u << 10;
constexpr std::size_t longest_message = 300;
constexpr std::int64_t most_tokens = 1000000000; // of a usage that can be believed

void set_unusable(GenerationReply& reply, const std::string& why) {
    reply.fault = ReplyFault::unusable;
    reply.sentence = why;
    reply.texts.clear();
}

const Json* member(const Json& json, const char* name) {
    if (!json.is_object()) return nullptr;
    const auto found = json.find(name);
    return found == json.end() ? nullptr : &*found;
}

std::string text_member(const Json& json, const char* name) {
    const Json* found = member(json, name);
    return found && found->is_string() ? found->get<std::string>() : "";
}

std::int64_t count_member(const Json& json, const char* name) {
    const Json* found = member(json, name);
    if (!found || !found->is_number_integer() || *found < 0 || *found > most_tokens) return 0;
    return found->get<std::int64_t>();
}

/// A content is a text, or a list of parts of which those of type "text" count.
std::optional<std::string> content_of(const Json* content) {
    if (!content) return std::nullopt;
    if (content->is_string()) return content->get<std::string>();
    if (!content->is_array()) return std::nullopt;
    std::string text;
    bool any = false;
    for (const Json& part : *content)
        if (text_member(part, "type") == "text") {
            text += text_member(part, "text");
            any = true;
        }
    return any ? std::optional(text) : std::nullopt;
}

/// Tokens and log-probabilities in the form of either API, appended; both cleared where one cannot be read:
/// half a list would belong to other tokens.
void append_logprobs(const Json& choice, GeneratedText& text) {
    const Json* given = member(choice, "logprobs");
    if (!given || !given->is_object()) return;
    auto append = [&](const Json& token, const Json& logprob) {
        if (!token.is_string() || !logprob.is_number() || !std::isfinite(logprob.get<float>())) return false;
        text.tokens.push_back(token.get<std::string>());
        text.logprobs.push_back(logprob.get<float>());
        return true;
    };
    bool whole = true;
    const Json *content = member(*given, "content"), *tokens = member(*given, "tokens"),
               *values = member(*given, "token_logprobs");
    if (content && content->is_array()) {
        for (const Json& entry : *content) {
            const Json *token = member(entry, "token"), *logprob = member(entry, "logprob");
            whole = whole && token && logprob && append(*token, *logprob);
        }
    } else if (tokens && values && tokens->is_array() && values->is_array()) {
        whole = tokens->size() == values->size();
        for (std::size_t i = 0; whole && i < tokens->size(); ++i)
            whole = append((*tokens)[i], (*values)[i]);
    }
    if (whole) return;
    text.tokens.clear();
    text.logprobs.clear();
}

void read_usage(const Json& json, GenerationReply& reply) {
    const Json* usage = member(json, "usage");
    if (!usage) return;
    reply.usage.prompt_tokens = count_member(*usage, "prompt_tokens");
    reply.usage.completion_tokens = count_member(*usage, "completion_tokens");
}

/// The sentence of an "error" member or its like; "" where there is none.
std::string stated_error(const Json& json) {
    for (const char* name : {"error", "detail", "message"}) {
        const Json* found = member(json, name);
        if (!found || found->is_null()) continue;
        if (found->is_string()) return found->get<std::string>();
        if (std::string inner = text_member(*found, "message"); !inner.empty()) return inner;
        return to_json_line(*found);
    }
    return "";
}

/// Text of a choice where it has one.
bool read_choice(const Json& choice, bool chat, GeneratedText& text) {
    const Json* message = chat ? member(choice, "message") : nullptr;
    const auto content = chat ? (message ? content_of(member(*message, "content")) : std::nullopt)
                              : content_of(member(choice, "text"));
    if (!content) return false;
    text.text = *content;
    text.finish = text_member(choice, "finish_reason");
    append_logprobs(choice, text);
    return true;
}

void read_choices(const Json& json, const GenerationRequest& request, GenerationReply& reply) {
    const Json* choices = member(json, "choices");
    if (!choices || !choices->is_array() || choices->empty()) {
        const std::string stated = stated_error(json);
        return set_unusable(reply, stated.empty() ? "the answer holds no choices"
                                                  : "the answer is an error: " + stated);
    }
    for (const Json& choice : *choices) {
        if (reply.texts.size() >= static_cast<std::size_t>(std::max(1, request.n))) break;
        GeneratedText text;
        if (!read_choice(choice, !request.messages.empty(), text))
            return set_unusable(reply, "choice " + std::to_string(reply.texts.size()) + " holds no text");
        reply.texts.push_back(std::move(text));
    }
}

} // namespace

std::string path_of(const GenerationRequest& request) {
    return request.messages.empty() ? "/completions" : "/chat/completions";
}

std::string address_of(const Endpoint& endpoint, const std::string& path) {
    std::string url = endpoint.base_url;
    while (url.ends_with('/'))
        url.pop_back();
    return url + path;
}

Json body_of(const GenerationRequest& request, const Endpoint& endpoint) {
    const bool chat = !request.messages.empty();
    Json body = request.extra.is_object() ? request.extra : Json::object();
    body["model"] = request.model.empty() ? endpoint.model : request.model;
    if (chat) {
        Json messages = Json::array();
        for (const ChatMessage& message : request.messages)
            messages.push_back({{"role", message.role}, {"content", message.content}});
        body["messages"] = messages;
    } else {
        body["prompt"] = request.prompt;
    }
    if (request.n != 1) body["n"] = request.n;
    if (request.temperature) body["temperature"] = *request.temperature;
    if (request.top_p) body["top_p"] = *request.top_p;
    // OpenAI's newer chat models refuse the older name.
    const bool newer = chat && endpoint.dialect == "openai" && !is_loopback(endpoint.base_url)
                       && endpoint.base_url.starts_with("https://api.openai.com");
    if (request.max_tokens) body[newer ? "max_completion_tokens" : "max_tokens"] = *request.max_tokens;
    if (request.seed) body["seed"] = *request.seed;
    if (!request.stop.empty()) body["stop"] = request.stop;
    if (request.logprobs) body["logprobs"] = chat ? Json(true) : Json(1);
    if (request.stream) {
        body["stream"] = true;
        body["stream_options"] = {{"include_usage", true}};
    }
    return body;
}

void read_reply(std::string_view body, const GenerationRequest& request, GenerationReply& reply) {
    if (body.find_first_not_of(" \t\r\n") == body.npos) return set_unusable(reply, "the answer is empty");
    try {
        const Json json = parse_json(body, "the answer");
        read_choices(json, request, reply);
        read_usage(json, reply);
        reply.model = text_member(json, "model");
    } catch (const Error& error) {
        std::string why = error.what();
        if (why.ends_with('.')) why.pop_back();
        const auto begin = body.find_first_not_of(" \t\r\n");
        set_unusable(reply, body[begin] == '<' ? "the answer is a web page" : why);
    }
}

bool StreamedReply::take(std::string_view data) {
    if (data == "[DONE]") {
        done_ = true;
        return false;
    }
    try {
        const Json json = parse_json(data, "an event of the stream");
        if (const Json* error = member(json, "error"); error && !error->is_null()) {
            reply_.fault = ReplyFault::server;
            reply_.sentence = "the stream breaks off with an error: " + stated_error(json);
            return false;
        }
        if (const Json* usage = member(json, "usage"); usage && usage->is_object()) read_usage(json, reply_);
        if (reply_.model.empty()) reply_.model = text_member(json, "model");
        if (const Json* choices = member(json, "choices"); choices && choices->is_array())
            for (const Json& choice : *choices)
                take_choice(choice);
    } catch (const Error& error) {
        set_unusable(reply_, error.what());
    }
    return !broken();
}

void StreamedReply::take_choice(const Json& choice) {
    const auto at = static_cast<std::size_t>(count_member(choice, "index"));
    if (at >= static_cast<std::size_t>(std::max(1, request_.n))) return;
    if (at >= reply_.texts.size()) {
        reply_.texts.resize(at + 1);
        seen_.resize(at + 1);
    }
    GeneratedText& text = reply_.texts[at];
    const bool chat = !request_.messages.empty();
    const Json* delta = chat ? member(choice, "delta") : &choice;
    const auto piece = delta ? content_of(member(*delta, chat ? "content" : "text")) : std::nullopt;
    if (piece) {
        seen_[at] = true;
        text.text += *piece;
        if (on_piece_ && !piece->empty()) on_piece_({at, *piece, false});
    }
    append_logprobs(choice, text);
    if (std::string finish = text_member(choice, "finish_reason"); !finish.empty()) text.finish = finish;
}

bool StreamedReply::complete() const {
    if (done_) return true;
    return reply_.texts.size() == static_cast<std::size_t>(std::max(1, request_.n))
           && std::ranges::none_of(reply_.texts, &std::string::empty, &GeneratedText::finish);
}

void StreamedReply::finish(GenerationReply& reply) {
    if (!broken() && (reply_.texts.empty() || std::ranges::find(seen_, false) != seen_.end()))
        set_unusable(reply_, "the stream ended without a text");
    reply.texts = std::move(reply_.texts);
    if (reply_.fault != ReplyFault::none) reply.texts.clear();
    reply.usage = reply_.usage;
    reply.model = std::move(reply_.model);
    reply.fault = reply_.fault;
    reply.sentence = std::move(reply_.sentence);
}

std::string message_in(std::string_view body) {
    const auto begin = body.find_first_not_of(" \t\r\n");
    if (begin == body.npos || body[begin] == '<') return "";
    std::string text;
    try {
        text = stated_error(parse_json(body, "the answer"));
    } catch (const Error&) {
        text = kept_raw(body.substr(0, 4 * longest_message));
    }
    for (char& c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    if (text.size() > longest_message) {
        std::size_t end = longest_message; // not within a character
        while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
            --end;
        text = text.substr(0, end) + "...";
    }
    while (!text.empty() && (text.back() == '.' || text.back() == ' '))
        text.pop_back();
    return text;
}

std::string kept_raw(std::string_view body) {
    // The JSON library replaces what is not UTF-8; every replacement may take three bytes for one.
    const Json json = std::string(body.substr(0, largest_raw));
    std::string text = Json::parse(to_json_line(json)).get<std::string>();
    std::ranges::replace(text, '\0', ' ');
    if (text.size() > largest_raw) {
        std::size_t end = largest_raw;
        while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
            --end;
        text.resize(end);
    }
    return text;
}

std::string without_secret(std::string text, std::string_view secret) {
    if (secret.empty()) return text;
    for (auto at = text.find(secret); at != text.npos; at = text.find(secret, at + 5))
        text.replace(at, secret.size(), "[key]");
    return text;
}

double estimated_tokens(const GenerationRequest& request) {
    double bytes = static_cast<double>(request.prompt.size());
    for (const ChatMessage& message : request.messages)
        bytes += static_cast<double>(message.content.size());
    return bytes / 4 + static_cast<double>(request.max_tokens.value_or(256)) * std::max(1, request.n);
}

} // namespace tempera
