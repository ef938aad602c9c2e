#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace tempera {

/// The arithmetic of REINFORCE leave-one-out (Ahmadian et al. 2024), as plain functions over numbers. TRL is
/// trl/trainer/rloo_trainer.py: 1.16 for today's, 0.21 for the last version before it was rewritten.

/// Estimates of the KL divergence of the policy from the reference out of one drawn token, with d = log
/// policy - log reference (Schulman 2020, "Approximating KL divergence"): k1 = d, k2 = d^2 / 2, k3 = e^-d - 1
/// + d. k1 and k3 are unbiased, k2 and k3 are never negative.
enum class KlEstimator { k1, k2, k3 };
/// "k1", "k2", "k3". Throws Error(bad_input).
KlEstimator kl_estimator_from(std::string_view name);
double kl_estimate(KlEstimator estimator, double difference);
/// d(kl_estimate)/d(difference).
double kl_slope(KlEstimator estimator, double difference);
/// Sum over the tokens of a completion; 0 where there is no reference.
double kl_of_sequence(KlEstimator estimator, std::span<const float> logprobs,
                      std::span<const float> ref_logprobs);

/// What becomes of a completion's rewards before they are compared. NaN anywhere means "does not apply".
struct RewardShaping {
    std::vector<double> weights;    ///< one per reward function
    double missing_eos_penalty = 0; ///< taken off where a completion was cut
    bool normalise = false; ///< (r - mean) / (standard deviation + 1e-8) over all completions of a rollout
    double clip = 0;        ///< to [-clip, clip]; 0 = off
};

/// One reward a completion: weighted sum over the functions that apply, minus the penalty, normalised,
/// clipped, in this order (TRL 0.21's; 1.16 has the sum and the clip alone). rewards[f][i] is function f's of
/// completion i. NaN where no function applies.
std::vector<double> shape_rewards(std::span<const std::vector<double>> rewards, const std::vector<bool>& cut,
                                  const RewardShaping& shaping);

struct Advantages {
    std::vector<double> baselines;  ///< mean reward of the group's other completions; NaN where there is none
    std::vector<double> advantages; ///< reward - baseline; 0 where either is missing
    std::int64_t groups = 0;
    std::int64_t groups_without_variance = 0; ///< all rewards of the group alike (within TRL's 1e-8)
};
/// rewards[i] belongs to group i / k. A reward that is NaN gets advantage 0 and is no part of any baseline.
/// Rewards of a group that are all the same number give advantages of exactly 0, before normalisation.
/// With `normalise` the advantages are centred and divided by (their unbiased standard deviation + epsilon)
/// over all groups. k >= 2 and a multiple of k rewards, else Error(internal).
Advantages leave_one_out(std::span<const double> rewards, std::int64_t k, bool normalise = false,
                         double epsilon = 1e-4);

/// How far two computations of the same log-probability differ by rounding alone, nats a token: what float32
/// leaves between the sampler, the trainer's pass and the reference's.
constexpr double logprob_rounding = 1e-5;

/// A completion's divergence from the reference, and by how much rounding may have moved it.
struct MeasuredKl {
    double kl = 0;
    double rounding = 0; ///< logprob_rounding times its tokens
};
/// reward - kl_coef * kl of every completion. In a group whose rewards are alike (within TRL's 1e-8) and
/// whose divergences are apart by no more than rounding makes, nothing tells completions from each other:
/// each gets the same number, for an optimiser like Adam turns advantages of 1e-7 into whole steps of noise.
std::vector<double> rewards_after_kl(std::span<const double> rewards, std::span<const MeasuredKl> divergences,
                                     std::int64_t k, double kl_coef);

/// Groups of k whose rewards are all alike (within TRL's 1e-8); those without a reward are not.
std::int64_t groups_alike(std::span<const double> rewards, std::int64_t k);

/// Choices of the clipped objective.
struct PolicyObjective {
    bool token_ratio = false; ///< ratio of every token's probabilities, else of the whole completion's
    double clip_low = 0.2;    ///< the ratio counts down to 1 - clip_low and up to 1 + clip_high
    double clip_high = 0.2;
    double kl_coef = 0; ///< of the KL estimate inside the loss; 0 where it is part of the reward
    KlEstimator estimator = KlEstimator::k1;
};

/// One completion's part of the loss.
struct ObjectiveTerms {
    double loss = 0;               ///< summed over tokens where ratios are of tokens
    std::vector<double> d_logprob; ///< d(loss)/d(log-probability) of every token
    double ratio = 1;              ///< the completion's, or the mean of its tokens'
    double clipped_low = 0;        ///< 1 (or the share of tokens) where the lower bound cuts the gradient
    double clipped_high = 0;
};
/// -min(ratio A, clip(ratio) A), plus kl_coef times the KL estimate. `ref_logprobs` may be empty where
/// kl_coef is 0. The gradient of a ratio on the border is that inside.
ObjectiveTerms policy_terms(std::span<const float> logprobs, std::span<const float> old_logprobs,
                            std::span<const float> ref_logprobs, double advantage,
                            const PolicyObjective& objective);

/// Mean and unbiased standard deviation of the values that are not NaN, as TRL's nanmean and nanstd: NaN
/// without a value, deviation 0 of one (TRL: NaN there, which its log leaves out).
struct MeanAndDeviation {
    double mean = 0;
    double deviation = 0;
};
MeanAndDeviation mean_and_deviation(std::span<const double> values);

} // namespace tempera
