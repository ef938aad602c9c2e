#pragma once

#include "core/base/stop_token.h"
#include "core/data/prompt_set.h"
#include "core/engine/model/token_row.h"
#include "core/engine/reward/reward_function.h"
#include "core/engine/sample/sampler.h"
#include "core/engine/train/pass_context.h"
#include "core/net/endpoint.h"
#include "core/recipe/rloo_recipe.h"
#include "core/stats/rloo.h"
#include "core/store/records.h"

#include <filesystem>
#include <optional>
#include <vector>

namespace tempera {

/// A prompt as the policy reads it.
struct PolicyPrompt {
    TaskPrompt task;
    std::string text; ///< what is tokenised
    std::vector<std::int32_t> ids;
};

/// The prompts of a recipe, in training and held out.
struct PolicyPrompts {
    std::vector<PolicyPrompt> train;
    std::vector<PolicyPrompt> validation;
    std::int64_t longest = 0; ///< tokens
    std::string end_of_turn;  ///< the chat template's, which ends a completion; "" = none
    SkippedRows skipped;      ///< rows of a file that could not be used
};
/// Throws Error(bad_input) where nothing is left to train on or a prompt leaves no room to draw.
PolicyPrompts load_policy_prompts(const RlooRecipe& recipe, const std::filesystem::path& model,
                                  const Tokenizer& tokenizer, const ModelConfig& config);

/// Names the prompts by their tokens, words and facts (TrainedOn).
std::string content_of(const PolicyPrompts& prompts);

/// k completions of every prompt of a step. Completion i = group * k + sample.
struct Rollout {
    std::vector<std::int64_t> prompts; ///< groups[g] answers prompts[g] of the training prompts
    std::vector<RolloutGroup> groups;
    /// Under the policy that drew them, as the trainer computes it: what ratios are formed with. Empty for a
    /// completion until it is known.
    std::vector<std::vector<float>> old_logprobs;

    bool empty() const { return groups.empty(); }
    std::int64_t completions() const { return static_cast<std::int64_t>(old_logprobs.size()); }
    RolloutSample& sample(std::int64_t i);
    const RolloutSample& sample(std::int64_t i) const;
};

/// The random numbers of a completion: of (seed, rollout, group, sample) alone.
RandomStream rollout_stream(std::uint64_t seed, std::int64_t rollout, std::int64_t group, int sample);

/// Draws k completions of each of `prompts`; nothing where it was cancelled. `number` counts the rollouts of
/// the run.
std::optional<Rollout> draw_rollout(Sampler& sampler, const std::vector<PolicyPrompt>& all,
                                    const std::vector<std::int64_t>& prompts, const RlooRecipe& recipe,
                                    std::int64_t number, const StopToken& stop);

/// Completions that are computed together; those of one prompt share its tokens.
struct RolloutBatch {
    std::vector<std::int64_t> completions; ///< in the order of the row's targets
    BranchedRow branched;
};
/// Cuts `completions` (ascending) into batches of at most `max_tokens`; a prompt whose completions are more
/// stands in several, and one that is longer alone. A completion's dropout stream does not depend on how they
/// are cut (its prompt's does where it is computed more than once).
std::vector<RolloutBatch> make_rollout_batches(const Rollout& rollout, const std::vector<PolicyPrompt>& all,
                                               const std::vector<std::int64_t>& completions,
                                               std::int64_t max_tokens, std::int64_t first_stream,
                                               at::Device device);

/// Log-probabilities of every completion's tokens at `temperature`, without dropout and gradients; nothing
/// where it was cancelled.
std::optional<std::vector<std::vector<float>>> completion_logprobs(const PassContext& context,
                                                                   const Rollout& rollout,
                                                                   const std::vector<PolicyPrompt>& all,
                                                                   double temperature, const StopToken& stop);

/// The reward functions of a recipe, with the names and weights it gives them. Loads the reward model where
/// one is named.
struct RewardSet {
    std::vector<WeightedReward> names;
    std::vector<RewardFunction> functions;
    std::shared_ptr<const RemoteJudge> judge = {}; ///< behind the reward "remote", for its tally

    /// scores[f][i]
    std::vector<std::vector<RewardScore>> score(std::span<const RewardInput> inputs) const;
};
RewardSet make_reward_set(const RlooRecipe& recipe, const StopToken& stop = {}, const KeyLookup& keys = {});

/// Rewards every completion and fills in reward, kl, baseline and advantage. A completion without a score
/// of the judge behind "remote" has no reward at all. A group of which no completion has a reward is masked:
/// nothing is learnt from it. ref_logprobs must be there where kl_coef > 0. Returns
/// TRL's metrics of the rollout: reward (first), reward_std, rewards/<f>/mean and std, kl (per token),
/// completions/*, frac_reward_zero_std (after KL, but for rounding); besides frac_reward_alike (the same
/// before KL), completions/masked_ratio, kl_sum (per completion), with a judge behind an endpoint what this
/// rollout's questions took (core/judge/connect.h) and judge/unscored (completions), and
/// groups_without_reward where there are any.
std::vector<Metric> judge_rollout(Rollout& rollout, const std::vector<PolicyPrompt>& all,
                                  const RewardSet& rewards, const RlooRecipe& recipe);

/// One completion of every held-out prompt, scored: eval_score (the verifier the facts call for; first where
/// any do), eval_reward (weighted sum of the reward functions), eval_mean_length, eval_clipped_ratio. Nothing
/// where it was `interrupted` while it drew.
std::optional<std::vector<Metric>> evaluate_policy(Sampler& sampler, const std::vector<PolicyPrompt>& prompts,
                                                   const RewardSet& rewards, const RlooRecipe& recipe,
                                                   const Sampler::Interrupted& interrupted);

/// rollout.json of a checkpoint in the middle of a rollout's iterations. Every float comes back bit for bit.
/// Throws Error(io, disk_full); reading, Error(bad_input).
void save_rollout(const Rollout& rollout, const std::filesystem::path& folder);
Rollout load_rollout(const std::filesystem::path& folder, std::int64_t completions);

} // namespace tempera
