#pragma once

#include "core/engine/model/encoder.h"
#include "core/text/chat_template.h"
#include "core/text/tokenizer.h"

#include <filesystem>
#include <span>
#include <string>

namespace tempera {

/// What a reward model scores: an answer to a question. `prompt` is the user's own text, without any
/// template.
struct RewardText {
    std::string prompt;
    std::string completion;
};

/// How a reward model is shown prompt and completion.
enum class RewardForm {
    plain, ///< one text: "system\n...\nuser\n...\nassistant\n...", as ChatML reads without its special tokens
    chat,  ///< one text by the model's chat template, ChatML where it has none
    pair   ///< two texts, "[CLS] prompt [SEP] completion [SEP]": OpenAssistant's reward models
};
const char* name_of(RewardForm form);
/// Throws Error(bad_input) naming the choices.
RewardForm reward_form_from(const std::string& name);

/// Kept beside the weights in tempera_reward.json, so that a model is asked as it was trained.
struct RewardFormat {
    RewardForm form = RewardForm::pair;                  ///< what a folder without that file gets
    std::string system = "You are a helpful assistant."; ///< "" = no system turn; not used by pairs
    std::int64_t max_length = 512; ///< tokens; longer texts lose their end, pairs as "longest_first" has it
};
/// Throws Error(bad_input) naming the field.
RewardFormat read_reward_format(const std::filesystem::path& model_folder);
void write_reward_format(const RewardFormat& format, const std::filesystem::path& model_folder);

/// Makes a reward model's input. Trainer and scorer share it, so no text is ever prepared in two ways.
class RewardTokeniser {
public:
    /// The tokenizer and chat template of a model folder. max_length is lowered to the positions `config`
    /// has.
    RewardTokeniser(const std::filesystem::path& folder, RewardFormat format, const EncoderConfig& config);

    EncoderInput encode(const RewardText& text) const;
    /// A conversation whose last turn is the answer. A system turn of its own stands instead of the format's.
    /// For pairs the contents of the turns before, but for a system turn, are the question, one after the
    /// other.
    EncoderInput encode_conversation(std::span<const ChatMessage> messages) const;
    /// A text that is whole already.
    EncoderInput encode_whole(const std::string& text) const;

    const RewardFormat& format() const { return format_; }
    const Tokenizer& tokenizer() const { return tokenizer_; }

private:
    std::string text_of(std::span<const ChatMessage> messages) const;
    EncoderInput input_of(EncodedText&& encoded) const;

    RewardFormat format_;
    Tokenizer tokenizer_;
    ChatTemplate chat_;
    bool has_types_;
};

} // namespace tempera
