#include "core/engine/reward/reward_text.h"

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/suggest.h"
#include "core/format/tensor_type.h"

#include <algorithm>

namespace fs = std::filesystem;

namespace tempera {

namespace {

constexpr const char* format_file = "tempera_reward.json";
constexpr std::int64_t most_tokens = 1 << 20;

/// A folder without a template of its own speaks ChatML.
ChatTemplate chat_of(const fs::path& folder, RewardForm form) {
    if (form != RewardForm::chat) return ChatTemplate::named("plain");
    ChatTemplate own = ChatTemplate::load(folder);
    return own.style() == ChatStyle::plain ? ChatTemplate::named("chatml") : own;
}

/// "role\ncontent" of every turn: what is left of ChatML without its special tokens.
std::string plain_text(std::span<const ChatMessage> messages) {
    std::string text;
    for (const ChatMessage& message : messages)
        text += (text.empty() ? "" : "\n") + message.role + "\n" + message.content;
    return text;
}

} // namespace

const char* name_of(RewardForm form) {
    switch (form) {
    case RewardForm::plain:
        return "plain";
    case RewardForm::chat:
        return "chat";
    case RewardForm::pair:
        return "pair";
    }
    return "";
}

RewardForm reward_form_from(const std::string& name) {
    for (RewardForm form : {RewardForm::plain, RewardForm::chat, RewardForm::pair})
        if (name == name_of(form)) return form;
    fail(ErrorKind::bad_input, "There is no reward text " + in_quotes(name) + ": it is plain, chat or pair."
                                   + did_you_mean(name, {"plain", "chat", "pair"}));
}

RewardFormat read_reward_format(const fs::path& model_folder) {
    const fs::path path = model_folder / format_file;
    RewardFormat format;
    if (!fs::exists(path)) return format;
    Json json = read_json_file(path, 1u << 20);
    try {
        format.form = reward_form_from(json.at("text").get<std::string>());
        json.at("system").get_to(format.system);
        json.at("max_length").get_to(format.max_length);
    } catch (const Json::exception& error) {
        fail(ErrorKind::bad_input, path.string() + " needs text, system and max_length: " + error.what());
    }
    if (format.max_length < 4 || format.max_length > most_tokens)
        fail(ErrorKind::bad_input, path.string() + ": max_length is " + std::to_string(format.max_length)
                                       + ", but must be from 4 to " + std::to_string(most_tokens) + ".");
    return format;
}

void write_reward_format(const RewardFormat& format, const fs::path& model_folder) {
    Json json{{"text", name_of(format.form)}, {"system", format.system}, {"max_length", format.max_length}};
    write_file_atomic(model_folder / format_file, json.dump(2) + "\n");
}

RewardTokeniser::RewardTokeniser(const fs::path& folder, RewardFormat format, const EncoderConfig& config)
    : format_(std::move(format)), tokenizer_(Tokenizer::load(folder)), chat_(chat_of(folder, format_.form)),
      has_types_(config.type_vocab_size > 0) {
    if (config.absolute_positions) format_.max_length = std::min(format_.max_length, config.max_positions);
    if (tokenizer_.id_limit() > config.vocab_size)
        fail(ErrorKind::bad_input,
             "The tokenizer in " + folder.string() + " has ids up to "
                 + std::to_string(tokenizer_.id_limit() - 1) + ", but the model's embedding only "
                 + std::to_string(config.vocab_size) + " rows; they do not belong together.");
}

std::string RewardTokeniser::text_of(std::span<const ChatMessage> messages) const {
    std::vector<ChatMessage> turns(messages.begin(), messages.end());
    if (!format_.system.empty() && turns.front().role != "system")
        turns.insert(turns.begin(), {"system", format_.system});
    return format_.form == RewardForm::plain ? plain_text(turns)
                                             : chat_.apply(turns, {.add_generation_prompt = false});
}

EncoderInput RewardTokeniser::input_of(EncodedText&& encoded) const {
    EncoderInput input{std::move(encoded.ids), {}};
    if (has_types_) input.type_ids = std::move(encoded.type_ids);
    if (input.ids.empty())
        fail(ErrorKind::bad_input, "A text to score has no token at all: the tokenizer adds none.");
    return input;
}

EncoderInput RewardTokeniser::encode(const RewardText& text) const {
    return encode_conversation(
        std::vector<ChatMessage>{{"user", text.prompt}, {"assistant", text.completion}});
}

EncoderInput RewardTokeniser::encode_conversation(std::span<const ChatMessage> messages) const {
    if (messages.empty()) fail(ErrorKind::bad_input, "A conversation to score has no turn.");
    if (format_.form != RewardForm::pair) return encode_whole(text_of(messages));
    std::string question;
    for (const ChatMessage& message : messages.first(messages.size() - 1))
        if (message.role != "system") question += (question.empty() ? "" : "\n") + message.content;
    InputOptions options{.max_length = static_cast<std::size_t>(format_.max_length),
                         .special_text_is_plain = true};
    return input_of(tokenizer_.encode_with_specials(question, messages.back().content, options));
}

EncoderInput RewardTokeniser::encode_whole(const std::string& text) const {
    // A template writes its special tokens as text; nothing else may.
    InputOptions options{.max_length = static_cast<std::size_t>(format_.max_length),
                         .special_text_is_plain = format_.form != RewardForm::chat};
    return input_of(tokenizer_.encode_with_specials(text, {}, options));
}

} // namespace tempera
