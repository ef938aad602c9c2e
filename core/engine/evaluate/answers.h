#pragma once

#include "core/data/prompt_set.h"
#include "core/engine/evaluate/remote_model.h"
#include "core/engine/reward/reward_function.h"
#include "core/engine/sample/sampler.h"
#include "core/queue/engine.h"
#include "core/recipe/answer_fields.h"
#include "core/recipe/shared_fields.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <span>

namespace tempera {

/// The prompts that the fields ask for. Throws Error.
std::vector<TaskPrompt> prompts_of(const PromptFields& fields);

/// What a model answered.
struct Answer {
    std::string text;
    std::string finish; ///< "eos", "stop", "length", or failed_finish: then it is never to be scored
    std::vector<std::int32_t> token_ids; ///< empty from an endpoint
    std::vector<float> logprobs;         ///< empty where an endpoint gives none
    double logprob = 0;                  ///< their sum
    std::int64_t tokens = 0;             ///< 0 where an endpoint does not say
    std::string fault;                   ///< why it failed, one sentence; `text` is then what came instead

    bool failed() const { return finish == failed_finish; }
};

/// The samplers' own results as answers.
Answer answer_from(DrawnSequence&& drawn);
Answer answer_from(RemoteSample&& drawn);

/// A model that answers prompts as a recipe says: one in memory, or one behind an endpoint.
class Answerer {
public:
    /// Loads the model of the folder `model` with its tokenizer and chat template; a completion ends at the
    /// recipe's stop strings and, in a conversation, at the template's end of turn. Or `model` names an
    /// endpoint. Throws Error.
    Answerer(const std::string& model, const PromptFields& prompts, const SamplingFields& sampling,
             const DeviceFields& device, const RunRequest& request);
    ~Answerer();
    Answerer(const Answerer&) = delete;
    Answerer& operator=(const Answerer&) = delete;

    /// The text that is put to the model.
    std::string text_of(const TaskPrompt& prompt) const;

    /// Indices of the samples of a prompt that are to be drawn; may be empty.
    using Wanted = std::function<std::vector<int>(std::size_t prompt)>;
    using Receive = std::function<void(std::size_t prompt, int sample, Answer&&)>;
    using Notice = std::function<void(const std::string& sentence)>;
    /// Draws sample s of prompt p from RandomStream(seed, p, s), so that what is drawn depends on nothing
    /// else; an endpoint gets a seed made of the same. `receive` gets every completion when it ends. Leaves
    /// early where `interrupted` says so. `notice` hears what an endpoint does otherwise than asked.
    void answer(std::span<const TaskPrompt> prompts, double temperature, const Wanted& wanted,
                const Receive& receive, const Sampler::Interrupted& interrupted, const Notice& notice);

    /// "32 at a time", for the log.
    std::string pace() const;
    std::int64_t drawn_tokens() const;

private:
    struct Local;
    SamplingFields sampling_;
    std::unique_ptr<Local> local_; ///< one of the two
    std::unique_ptr<RemoteModel> remote_;
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
