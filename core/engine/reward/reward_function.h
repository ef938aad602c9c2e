#pragma once

#include "core/base/stop_token.h"
#include "core/judge/remote_judge.h"
#include "core/text/chat_template.h"

#include <ATen/ATen.h>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tempera {

/// A completion as reward functions see it. Everything is the caller's and outlives the call.
struct RewardInput {
    std::string_view prompt;     ///< what people read: the question
    std::string_view facts;      ///< JSON text for the verifiers, as PromptRecord's; "" = none
    std::string_view completion; ///< without the end token
    std::span<const std::int32_t> token_ids;
    std::string_view finish;      ///< "eos", "stop", "length"
    std::string_view prompt_text; ///< what was put to the model, the chat template's tokens included
    /// The turns that the completion answers, where they are more than `prompt` (TaskPrompt::conversation).
    std::span<const ChatMessage> conversation = {};
};

struct RewardScore {
    double value = 0; ///< NaN = the function does not apply to this completion
    std::string note; ///< a verifier's sentence, "" where there is none
};

/// Scores completions, one score each, in order. May be called from one thread at a time.
using RewardFunction = std::function<std::vector<RewardScore>(std::span<const RewardInput>)>;

struct RewardOptions {
    std::int64_t max_tokens = 512;           ///< of a completion
    std::int64_t length_limit = 0;           ///< tokens; 0 = three quarters of max_tokens
    std::string reward_model = {};           ///< folder behind "model"
    std::string reward_text = "auto";        ///< "auto" (as the model was trained), "plain", "chat", "pair"
    at::Device device = at::kCPU;            ///< where the reward model computes
    std::shared_ptr<RemoteJudge> judge = {}; ///< behind "remote"
    StopToken stop = {};                     ///< a cancel makes "remote" leave early, a stop does not
};

/// A function by its name in recipes:
///  countdown    core/task's verifier (0, 0.1, 1); applies where the facts have nums and target
///  constraints  share of the instruction's constraints that are met; applies where the facts have them
///  format       1 where the last line holds <answer>...</answer>, and <think>, where it was opened (by the
///               prompt's end or the completion), is closed once before it; else 0
///  model        score of the reward model (core/engine/reward/reward_model.h), which is loaded now
///  remote       the judge behind an endpoint; NaN where it gave no score that can be read, with the reply
///               in the note. Throws Error(stopped) where a cancel came first
///  length       0 up to length_limit tokens, falling to -1 at max_tokens (TRL 1.16's
///               soft_overlong_punishment with max_completion_len = max_tokens)
///  repetition   minus the share of repeated token trigrams (TRL 1.16's repetition_penalty_reward)
/// Throws Error(bad_input) for another name. Functions throw Error(bad_input) for facts they cannot read.
RewardFunction make_reward_function(const std::string& name, const RewardOptions& options);

/// The verifier that the facts call for, or NaN where they call for none: what held-out prompts are scored
/// with.
RewardScore verify_by_facts(std::string_view facts, std::string_view completion);

} // namespace tempera
