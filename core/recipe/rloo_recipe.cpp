#include "core/recipe/rloo_recipe.h"

#include "core/base/error.h"
#include "core/base/joined.h"
#include "core/base/suggest.h"
#include "core/recipe/kind.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace tempera {

namespace {

void bind_model_and_prompts(RlooRecipe& r, std::vector<Binding>& list) {
    list.push_back(Binding("model", &r.model)
                       .model()
                       .label("Model")
                       .group("Model and prompts")
                       .simple()
                       .help("The model to start from, which is the KL reference too: a fine-tuned one, "
                             "run:ID for the result of another run, or a folder in Hugging Face layout."));
    list.push_back(
        Binding("data", &r.data)
            .data_file({"countdown", "instructions"})
            .label("Prompts from")
            .group("Model and prompts")
            .simple()
            .help("\"countdown\" draws problems, \"instructions\" takes the shipped ones with "
                  "verifiable constraints. Or a data file or folder (JSON lines, JSON, CSV, Parquet) "
                  "whose rows hold prompt (and constraints), messages, or nums and target."));
    bind_rows(r, list, "Model and prompts");
    list.push_back(
        Binding("prompt_style", &r.prompt_style)
            .choices({"paper", "short"})
            .label("Prompt")
            .group("Model and prompts")
            .help("How a Countdown problem is put to the model. Choose what it was trained with."));
    list.push_back(Binding("system", &r.system)
                       .label("System turn")
                       .group("Model and prompts")
                       .help("System turn of conversations that bring none. Empty = none."));
    list.push_back(
        Binding("chat_template", &r.chat_template)
            .choices({"model", "chatml", "llama-3", "gemma", "plain"})
            .label("Chat template")
            .group("Model and prompts")
            .help("How conversations become the model's text: its own template, or one of these."));
    list.push_back(Binding("examples", &r.examples)
                       .range(0, 1e6)
                       .unit("prompts")
                       .label("Prompts")
                       .group("Model and prompts")
                       .help("How many prompts are drawn, or taken from the file at most. 0 = all there "
                             "are; drawn problems need a number."));
    list.push_back(Binding("validation_examples", &r.validation_examples)
                       .range(0, 1e5)
                       .unit("prompts")
                       .label("Held-out prompts")
                       .group("Model and prompts")
                       .help("Prompts kept out of training, on which eval_steps measures the score."));
    list.push_back(Binding("data_seed", &r.data_seed)
                       .range(0, largest_seed)
                       .label("Data seed")
                       .group("Model and prompts")
                       .help("Names the draw of the prompts. The same seed gives the same prompts whatever "
                             "the training seed is."));
}

void bind_rewards(RlooRecipe& r, std::vector<Binding>& list) {
    list.push_back(Binding("rewards", &r.rewards)
                       .label("Rewards")
                       .group("Rewards")
                       .simple()
                       .help("Reward functions and their weights, e.g. countdown,length:0.2. There are: "
                             "countdown and constraints (verifiers), model (a reward model), remote (a "
                             "judge behind an endpoint), format, length and repetition (both 0 or less)."));
    list.push_back(Binding("reward_model", &r.reward_model)
                       .model()
                       .label("Reward model")
                       .group("Rewards")
                       .help("The model behind the reward \"model\": a run of kind reward, or the folder of "
                             "a sequence classifier with one output."));
    list.push_back(Binding("reward_text", &r.reward_text)
                       .choices({"auto", "plain", "chat", "pair"})
                       .label("Reward text")
                       .group("Rewards")
                       .help("What the reward model reads: as it was trained, the paper's plain "
                             "\"system..user..assistant\" string, the chat template's text, or question "
                             "and answer as a pair."));
    bind_remote_judge(r, list, "Rewards", false);
    list.push_back(
        Binding("length_limit", &r.length_limit)
            .range(0, 1 << 20)
            .unit("tokens")
            .label("Length limit")
            .group("Rewards")
            .help("Where the reward \"length\" begins to fall from 0; it reaches -1 at the longest "
                  "completion. 0 = three quarters of that."));
    list.push_back(Binding("missing_eos_penalty", &r.missing_eos_penalty)
                       .range(0, 1e6)
                       .label("Penalty without end")
                       .group("Rewards")
                       .help("Taken off the reward of a completion that was cut at the longest length."));
    list.push_back(Binding("reward_normalise", &r.reward_normalise)
                       .label("Normalise rewards")
                       .group("Rewards")
                       .help("Subtracts the mean of a step's rewards and divides by their standard "
                             "deviation, before they are clipped."));
    list.push_back(Binding("reward_clip", &r.reward_clip)
                       .range(0, 1e9)
                       .label("Clip rewards")
                       .group("Rewards")
                       .help("Rewards stay within plus and minus this value. 0 = off."));
}

void bind_estimator(RlooRecipe& r, std::vector<Binding>& list) {
    list.push_back(
        Binding("preset", &r.preset)
            .choices({"trl", "paper"})
            .label("Preset")
            .group("RLOO")
            .help("Whose defaults hold for what the recipe leaves open: TRL 1.16's, or the paper's "
                  "on TRL 0.21's (four iterations, temperature 0.7)."));
    list.push_back(Binding("k", &r.k)
                       .range(2, 1024)
                       .unit("completions")
                       .label("Completions per prompt")
                       .group("RLOO")
                       .simple()
                       .help("Every completion is compared with the mean of the prompt's others. The paper "
                             "uses 4."));
    list.push_back(Binding("kl_coef", &r.kl_coef)
                       .range(0, 1e3)
                       .label("KL coefficient")
                       .group("RLOO")
                       .help("Holds the model near the one it started from. 0 = off: no reference is kept."));
    list.push_back(
        Binding("kl_in", &r.kl_in)
            .choices({"reward", "loss"})
            .label("KL in")
            .group("RLOO")
            .help("Whether the KL estimate is taken off each completion's reward, as the paper and "
                  "TRL do, or stands in the loss."));
    list.push_back(Binding("kl_estimator", &r.kl_estimator)
                       .choices({"k1", "k2", "k3"})
                       .label("KL estimator")
                       .group("RLOO")
                       .help("With d = log policy - log reference of a drawn token: k1 = d, k2 = d^2 / 2, "
                             "k3 = e^-d - 1 + d. The reward wants k1, the loss k2 or k3."));
}

void bind_objective(RlooRecipe& r, std::vector<Binding>& list) {
    list.push_back(Binding("ratio_level", &r.ratio_level)
                       .choices({"sequence", "token"})
                       .label("Ratio of")
                       .group("RLOO")
                       .help("Whether probabilities of whole completions are compared and clipped, as in "
                             "TRL, or of single tokens, as in PPO (the loss is then a mean over tokens)."));
    list.push_back(Binding("clip_low", &r.clip_low)
                       .range(0, 1)
                       .label("Clip below")
                       .group("RLOO")
                       .help("The ratio counts down to 1 minus this. It matters with more than one "
                             "iteration only."));
    list.push_back(Binding("clip_high", &r.clip_high)
                       .range(0, 1e6)
                       .label("Clip above")
                       .group("RLOO")
                       .help("The ratio counts up to 1 plus this."));
    list.push_back(Binding("iterations", &r.iterations)
                       .range(1, 64)
                       .unit("steps")
                       .label("Iterations")
                       .group("RLOO")
                       .help("Optimiser steps on the same completions before new ones are drawn."));
    list.push_back(Binding("advantage_normalise", &r.advantage_normalise)
                       .label("Normalise advantages")
                       .group("RLOO")
                       .help("Divides the advantages of a step by their standard deviation."));
    list.push_back(Binding("advantage_epsilon", &r.advantage_epsilon)
                       .range(0, 1)
                       .label("Normaliser's epsilon")
                       .group("RLOO")
                       .help("Added to that standard deviation: 1e-4 in TRL 1.16, 1e-8 in TRL 0.21."));
    list.push_back(Binding("mask_truncated", &r.mask_truncated)
                       .label("Mask cut completions")
                       .group("RLOO")
                       .help("Completions cut at the longest length add nothing to the gradient; their "
                             "rewards still count in the baselines."));
    list.push_back(Binding("disable_dropout", &r.disable_dropout)
                       .label("No dropout")
                       .group("RLOO")
                       .help("Trains without dropout, so that the first step's ratio is exactly 1. TRL "
                             "leaves an adapter's dropout on."));
    list.push_back(Binding("old_logprobs", &r.old_logprobs)
                       .choices({"sampler", "trainer"})
                       .label("Policy's probabilities")
                       .group("RLOO")
                       .help("Where those of the KL estimate come from: the sampler, free of charge, or a "
                             "pass of the trainer. They agree to about 1e-5 in float32."));
}

void bind_sampling(RlooRecipe& r, std::vector<Binding>& list) {
    list.push_back(Binding("temperature", &r.temperature)
                       .above(0, 100)
                       .label("Temperature")
                       .group("Sampling")
                       .help("Of the draw, and of every log-probability that is computed."));
    list.push_back(Binding("top_p", &r.top_p)
                       .above(0, 1)
                       .label("Top-p")
                       .group("Sampling")
                       .help("Draws from the likeliest tokens that together hold this probability. 1 = off; "
                             "anything else makes the draw differ from what is trained."));
    list.push_back(Binding("top_k", &r.top_k)
                       .range(0, 1e6)
                       .unit("tokens")
                       .label("Top-k")
                       .group("Sampling")
                       .help("Draws from the k likeliest tokens. 0 = off."));
    list.push_back(Binding("max_tokens", &r.max_tokens)
                       .range(1, 1 << 20)
                       .unit("tokens")
                       .label("Longest completion")
                       .group("Sampling")
                       .simple()
                       .help("A completion is cut after this many tokens."));
    list.push_back(Binding("stop", &r.stop)
                       .label("Stop strings")
                       .group("Sampling")
                       .help("A completion ends before the first of these texts, and counts as complete."));
    list.push_back(Binding("eval_temperature", &r.eval_temperature)
                       .range(0, 100)
                       .label("Evaluation temperature")
                       .group("Sampling")
                       .help("One completion of every held-out prompt is drawn at this temperature. 0 = "
                             "greedy."));
}

void bind_health(RlooRecipe& r, std::vector<Binding>& list) {
    list.push_back(Binding("kl_limit", &r.kl_limit)
                       .range(0, 1e9)
                       .unit("nats")
                       .label("KL limit")
                       .group("Running")
                       .help("Largest mean divergence of a completion from the reference before the health "
                             "rule fires. 0 = off, as it is with kl_coef = 0, where no divergence is "
                             "measured."));
}

/// What a preset says where the recipe itself says nothing.
void take_preset(RlooRecipe& r, const Json& given) {
    const bool paper = r.preset == "paper";
    auto set = [&](const char* name, auto& member, auto value) {
        if (!given.contains(name)) member = value;
    };
    set("k", r.k, paper ? 4 : 2);
    set("kl_coef", r.kl_coef, paper ? 0.03 : 0.05);
    set("iterations", r.iterations, paper ? 4 : 1);
    set("temperature", r.temperature, paper ? 0.7 : 1.0);
    set("max_tokens", r.max_tokens, paper ? 53 : 512);
    set("advantage_epsilon", r.advantage_epsilon, paper ? 1e-8 : 1e-4);
    // TRL 0.21 clips at 10, but only what it has normalised
    set("reward_clip", r.reward_clip, paper && r.reward_normalise ? 10.0 : 0.0);
    set("learning_rate", r.learning_rate, paper ? (r.is_lora() ? 5e-7 : 5e-6) : 1e-6);
    set("epochs", r.epochs, paper ? 2.0 : 3.0);
    set("batch_size", r.batch_size, paper ? 4 : 8);
    set("accumulation", r.accumulation, paper ? 8 : 1);
}

/// What the rewards that are `named` need, and what is set for rewards that are not.
void check_named(const RlooRecipe& r, const std::vector<std::string>& named,
                 std::vector<FieldProblem>& list) {
    const auto has = [&](const char* name) {
        return std::find(named.begin(), named.end(), name) != named.end();
    };
    const auto missing = [](const std::string& name) { return "rewards does not name \"" + name + "\""; };
    if (has("model") && r.reward_model.empty())
        list.push_back({"reward_model", "The reward \"model\" needs reward_model: name a run of kind reward "
                                        "(run:ID) or a folder."});
    check_used("reward_model", r.reward_model, has("model"), missing("model"), "add it to rewards", list);
    check_remote_judge(r, has("remote"), missing("remote"), "add it to rewards", list);
    if (r.length_limit > 0 && !has("length"))
        list.push_back({"length_limit", "length_limit is set, but " + missing("length")
                                            + ": add it to rewards, or set length_limit to 0."});
    if (has("length") && r.length_limit >= r.max_tokens)
        list.push_back({"length_limit", "length_limit (" + std::to_string(r.length_limit)
                                            + " tokens) must be below max_tokens ("
                                            + std::to_string(r.max_tokens)
                                            + "): no completion is longer, so the reward \"length\" would "
                                              "always be 0."});
}

} // namespace

RlooRecipe::RlooRecipe() {
    schedule = "linear";
    warmup_steps = 0;
    weight_decay = 0;
    eval_steps = 20;
    checkpoint_steps = 50;
    take_preset(*this, Json::object());
}

std::vector<Binding> RlooRecipe::bindings() {
    std::vector<Binding> list;
    bind_model_and_prompts(*this, list);
    bind_rewards(*this, list);
    bind_estimator(*this, list);
    bind_objective(*this, list);
    bind_sampling(*this, list);
    bind_lora(*this, list);
    bind_optimiser(*this, list);
    bind_running(*this, list);
    bind_health(*this, list);
    bind_device(*this, list,
                "Precision of the training pass; the weights are always kept in float32, in which the "
                "sampler computes too. float32 is faster on most CPUs.");
    for (Binding& binding : list) // the simple form has at most seven fields
        if (binding.field().name == "method" || binding.field().name == "batch_size") binding.simple(false);
    return list;
}

void RlooRecipe::adapt_defaults(const Json& given) {
    take_preset(*this, given);
    if (kl_coef == 0 && !given.contains("kl_limit")) kl_limit = 0;
    adapt_optimiser(*this, given);
    adapt_running(*this, validation_examples, given);
}

std::vector<FieldProblem> RlooRecipe::problems_found() const {
    std::vector<FieldProblem> list;
    check_rows(*this, data, list);
    check_model(model, list);
    if (examples == 0 && data == "countdown")
        list.push_back({"examples", "examples must be at least 1 where the prompts are drawn: only a file's "
                                    "rows can be taken all with 0."});
    if (completions_per_step() % k != 0)
        list.push_back({"batch_size", "batch_size x accumulation (" + std::to_string(completions_per_step())
                                          + " completions) must be a multiple of k (" + std::to_string(k)
                                          + "): every prompt has k completions in the same step."});
    if (rewards.empty()) list.push_back({"rewards", "rewards is empty: name at least one, e.g. countdown."});
    std::vector<std::string> seen;
    for (const std::string& text : rewards)
        try {
            const WeightedReward reward = parse_reward(text);
            if (std::find(seen.begin(), seen.end(), reward.name) != seen.end())
                list.push_back({"rewards", "rewards names " + reward.name + " twice: leave one out."});
            seen.push_back(reward.name);
        } catch (const Error& error) {
            list.push_back({"rewards", error.what()});
        }
    if (!rewards.empty() && seen.size() == rewards.size()) check_named(*this, seen, list);
    if (kl_coef == 0 && kl_limit > 0 && kl_limit != usual_kl_limit)
        list.push_back({"kl_limit", "kl_limit needs kl_coef above 0: without it no divergence from the "
                                    "reference is measured. Set kl_limit to 0, or kl_coef to a small "
                                    "number, e.g. 1e-6."});
    for (const auto& text : stop)
        if (text.empty())
            list.push_back({"stop", "stop holds an empty text, which would end every completion at once."});
    check_running(*this, validation_examples, list);
    check_lora(*this, list);
    check_optimiser(*this, list);
    return list;
}

RlooRecipe RlooRecipe::from(const Json& recipe) {
    return read_recipe<RlooRecipe>("rloo", recipe);
}

Json RlooRecipe::to_json() const {
    return write_recipe("rloo", *this);
}

const std::vector<std::string>& reward_names() {
    static const std::vector<std::string> names = {"countdown", "constraints", "model",     "remote",
                                                   "format",    "length",      "repetition"};
    return names;
}

WeightedReward parse_reward(const std::string& text) {
    const std::size_t colon = text.find(':');
    WeightedReward reward{text.substr(0, colon), 1};
    const auto& names = reward_names();
    if (std::find(names.begin(), names.end(), reward.name) == names.end())
        fail(ErrorKind::bad_input, "There is no reward \"" + reward.name + "\" (there are: " + joined(names)
                                       + ")." + did_you_mean(reward.name, names));
    if (colon == std::string::npos) return reward;
    const char *begin = text.data() + colon + 1, *end = text.data() + text.size();
    auto [last, problem] = std::from_chars(begin, end, reward.weight);
    if (problem != std::errc() || last != end || !std::isfinite(reward.weight))
        fail(ErrorKind::bad_input,
             "The weight in \"" + text + "\" is not a number: write e.g. " + reward.name + ":0.5.");
    return reward;
}

} // namespace tempera
