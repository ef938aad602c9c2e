#pragma once

#include "core/data/prompt_set.h"
#include "core/engine/reward/reward_function.h"
#include "core/engine/sample/sampler.h"
#include "core/recipe/answer_fields.h"
#include "core/recipe/shared_fields.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <span>

namespace tempera {

/// The prompts that the fields ask for. Throws Error.
std::vector<TaskPrompt> prompts_of(const PromptFields& fields);

/// A model that answers prompts as a recipe says.
class Answerer {
public:
    /// Loads the model of `folder` with its tokenizer and chat template. A completion ends at the recipe's
    /// stop strings and, in a conversation, at the template's end of turn. Throws Error.
    Answerer(const std::filesystem::path& folder, const PromptFields& prompts, const SamplingFields& sampling,
             const DeviceFields& device, int threads);
    Answerer(const Answerer&) = delete; // the sampler refers to the members
    Answerer& operator=(const Answerer&) = delete;

    /// The text that is put to the model.
    std::string text_of(const TaskPrompt& prompt) const { return prompt_text(prompt, style_); }

    /// Indices of the samples of a prompt that are to be drawn; may be empty.
    using Wanted = std::function<std::vector<int>(std::size_t prompt)>;
    using Receive = std::function<void(std::size_t prompt, int sample, DrawnSequence&&)>;
    /// Draws sample s of prompt p from RandomStream(seed, p, s), so that what is drawn depends on nothing
    /// else. `receive` gets every completion when it ends. Leaves early where `interrupted` says so.
    void answer(std::span<const TaskPrompt> prompts, double temperature, const Wanted& wanted,
                const Receive& receive, const Sampler::Interrupted& interrupted);

    int slots() const { return sampler_->slots(); }
    std::int64_t drawn_tokens() const { return sampler_->drawn_tokens(); }

private:
    SamplingFields sampling_;
    Decoder decoder_;
    Tokenizer tokenizer_;
    ChatTemplate style_;
    std::unique_ptr<Sampler> sampler_;
};

/// A reply to a prompt, for the judge; both outlive the call.
struct JudgedReply {
    const TaskPrompt* prompt = nullptr;
    std::string_view text;
    std::string_view finish;
};

/// Scores replies by the judge of a recipe.
class Judge {
public:
    /// Loads the reward model, if that is the judge. Throws Error.
    Judge(const JudgeFields& fields, const DeviceFields& device);
    /// Throws Error(bad_input) for a prompt whose answers the judge cannot score.
    void require_facts(std::span<const TaskPrompt> prompts) const;
    /// One score each, in order.
    std::vector<RewardScore> score(std::span<const JudgedReply> replies) const;

private:
    JudgeFields fields_;
    RewardFunction function_;
};

} // namespace tempera
