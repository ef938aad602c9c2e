#pragma once

#include "core/recipe/answer_fields.h"
#include "core/recipe/shared_fields.h"

namespace tempera {

/// REINFORCE leave-one-out (kind "rloo"). `preset` names whose defaults hold where the recipe says nothing:
/// "trl" is TRL 1.16's RLOOTrainer, "paper" the paper's values on TRL 0.21's. Every choice is a field of its
/// own, so a complete recipe says what was computed whatever the preset. The order is: weighted sum of the
/// rewards, missing-EOS penalty, normalisation, clip, KL (kl_in = reward), leave-one-out baseline.
struct RlooRecipe : RowFields, LoraFields, OptimiserFields, RunningFields, DeviceFields, RemoteJudgeFields {
    std::string model = "tiny";
    std::string data = "countdown";
    std::string prompt_style = "paper";
    std::string system = "You are a helpful assistant.";
    std::string chat_template = "model";
    std::int64_t examples = 1000; ///< prompts
    std::int64_t validation_examples = 100;
    std::int64_t data_seed = 0;

    std::vector<std::string> rewards = {"countdown"};
    std::string reward_model;
    std::string reward_text = "auto";
    std::int64_t length_limit = 0;
    double missing_eos_penalty = 0;
    bool reward_normalise = false;
    double reward_clip = 0;

    std::string preset = "trl";
    std::int64_t k = 2;
    double kl_coef = 0.05;
    std::string kl_in = "reward";
    std::string kl_estimator = "k1";
    std::string ratio_level = "sequence";
    double clip_low = 0.2;
    double clip_high = 0.2;
    std::int64_t iterations = 1;
    bool advantage_normalise = false;
    double advantage_epsilon = 1e-4;
    bool mask_truncated = false;
    bool disable_dropout = true;
    std::string old_logprobs = "sampler";

    double temperature = 1;
    double top_p = 1;
    std::int64_t top_k = 0;
    std::int64_t max_tokens = 512;
    std::vector<std::string> stop;
    double eval_temperature = 0;

    static constexpr double usual_kl_limit = 50;
    double kl_limit = usual_kl_limit; ///< this one does nothing where kl_coef = 0; any other is refused there

    RlooRecipe();

    /// Every field, in the order of the form.
    std::vector<Binding> bindings();
    void adapt_defaults(const Json& given);
    /// What no single field shows, e.g. a batch that holds no whole group.
    std::vector<FieldProblem> problems_found() const;

    /// Missing fields keep the preset's defaults. Throws Error(bad_input) with the first problem.
    static RlooRecipe from(const Json& recipe);
    Json to_json() const; ///< complete, with "kind"

    std::int64_t completions_per_step() const { return batch_size * accumulation; }
    std::int64_t prompts_per_step() const { return completions_per_step() / k; }
};

/// A reward function by name, with its weight in the sum.
struct WeightedReward {
    std::string name;
    double weight = 1;
};
/// The names that `rewards` may hold; "remote" is a judge behind an endpoint.
const std::vector<std::string>& reward_names();
/// "countdown" or "length:0.5". Throws Error(bad_input) with the nearest name.
WeightedReward parse_reward(const std::string& text);

} // namespace tempera
