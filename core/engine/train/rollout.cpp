#include "core/engine/train/rollout.h"

#include "core/base/content_hash.h"
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/engine/model/forward.h"
#include "core/engine/model/token_scores.h"
#include "core/engine/train/batches.h"
#include "core/engine/train/machine.h"
#include "core/judge/connect.h"

#include <algorithm>
#include <c10/core/GradMode.h>
#include <cmath>
#include <numeric>

namespace tempera {

namespace {

constexpr std::uint64_t rollout_salt = 0x7011007;

/// Prompts that leave the model no room are skipped where they are rows of a file and `bad_rows` says so.
std::vector<PolicyPrompt> read(const std::vector<TaskPrompt>& tasks, const ChatTemplate& style,
                               const Tokenizer& tokenizer, const ModelConfig& config, BadRows& bad) {
    std::vector<PolicyPrompt> prompts;
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        const TaskPrompt& task = tasks[i];
        PolicyPrompt prompt{task, prompt_text(task, style), {}};
        prompt.ids = tokenizer.encode(prompt.text, {.add_special_tokens = task.messages.empty()});
        const auto tokens = static_cast<std::int64_t>(prompt.ids.size());
        try {
            if (tokens == 0 || tokens >= config.max_positions)
                fail(ErrorKind::bad_input, name_of(task, i) + " has " + std::to_string(tokens)
                                               + " tokens; it needs at least one, and fewer than the model's "
                                               + std::to_string(config.max_positions) + " positions.");
            prompts.push_back(std::move(prompt));
        } catch (const Error& error) {
            bad.skip(error);
        }
    }
    return prompts;
}

RewardInput input_of(const PolicyPrompt& prompt, const std::string& text,
                     std::span<const std::int32_t> token_ids, const std::string& finish) {
    return {prompt.task.text, prompt.task.facts,       text, token_ids, finish,
            prompt.text,      prompt.task.conversation};
}

DrawSettings draw_settings(const RlooRecipe& recipe, double temperature) {
    return {temperature, recipe.top_p, static_cast<int>(recipe.top_k), 0, 1};
}

/// TRL's completions/*: without an ended completion its lengths count as 0.
void add_lengths(const Rollout& rollout, std::vector<Metric>& metrics) {
    std::vector<double> all, ended;
    for (const RolloutGroup& group : rollout.groups)
        for (const RolloutSample& sample : group.samples) {
            all.push_back(static_cast<double>(sample.token_ids.size()));
            if (sample.finish != "length") ended.push_back(all.back());
        }
    auto add = [&](const std::string& end, const std::vector<double>& values) {
        const std::vector<double> some = values.empty() ? std::vector<double>{0} : values;
        metrics.push_back({"completions/mean_" + end, mean_and_deviation(some).mean});
        metrics.push_back({"completions/min_" + end, *std::ranges::min_element(some)});
        metrics.push_back({"completions/max_" + end, *std::ranges::max_element(some)});
    };
    add("length", all);
    metrics.push_back(
        {"completions/clipped_ratio",
         1 - static_cast<double>(ended.size()) / std::max<double>(1, static_cast<double>(all.size()))});
    add("terminated_length", ended);
}

} // namespace

RolloutSample& Rollout::sample(std::int64_t i) {
    const auto k = static_cast<std::int64_t>(groups.front().samples.size());
    return groups[static_cast<std::size_t>(i / k)].samples[static_cast<std::size_t>(i % k)];
}

const RolloutSample& Rollout::sample(std::int64_t i) const {
    return const_cast<Rollout*>(this)->sample(i);
}

namespace {

/// A verifier that no prompt gives anything to check would reward nothing and teach nothing.
void require_rewards_apply(const RlooRecipe& recipe, const std::vector<TaskPrompt>& prompts) {
    for (const std::string& text : recipe.rewards) {
        const std::string name = parse_reward(text).name;
        const char* needed = name == "countdown" ? "nums" : name == "constraints" ? "constraints" : nullptr;
        if (!needed) continue;
        const bool applies = std::ranges::any_of(prompts, [&](const TaskPrompt& prompt) {
            return !prompt.facts.empty() && parse_json(prompt.facts, "A prompt's facts").contains(needed);
        });
        if (!applies)
            fail(ErrorKind::bad_input, "No prompt of " + recipe.data + " has \"" + needed
                                           + "\", which the reward " + name
                                           + " checks: choose other rewards or other data.");
    }
}

} // namespace

PolicyPrompts load_policy_prompts(const RlooRecipe& recipe, const std::filesystem::path& model,
                                  const Tokenizer& tokenizer, const ModelConfig& config) {
    PromptSetOptions options;
    options.data = recipe.data;
    options.data_seed = static_cast<std::uint64_t>(recipe.data_seed);
    options.prompt_style = recipe.prompt_style;
    options.system = recipe.system;
    options.columns = recipe.columns;
    options.bad_rows = recipe.bad_rows;
    std::vector<TaskPrompt> train, validation;
    SkippedRows skipped;
    const auto held_out = static_cast<std::size_t>(recipe.validation_examples);
    if (names_data(recipe.data)) { // a file's last rows are held out
        options.count = recipe.examples > 0 ? recipe.examples + recipe.validation_examples : 0;
        train = make_prompt_set(options, &skipped);
        const std::size_t kept = train.size() - std::min(train.size(), held_out);
        validation.assign(train.begin() + static_cast<std::ptrdiff_t>(kept), train.end());
        train.resize(kept);
    } else {
        options.split = "train";
        options.count = recipe.examples;
        train = make_prompt_set(options);
        options.split = "validation";
        options.count = recipe.validation_examples;
        if (held_out > 0) validation = make_prompt_set(options);
    }
    if (train.empty())
        fail(ErrorKind::bad_input,
             recipe.data + " leaves no prompt to train on: lower validation_examples, or give more rows.");
    require_rewards_apply(recipe, train);
    const bool chat = !train.front().messages.empty();
    const ChatTemplate style = !chat                             ? ChatTemplate::named("plain")
                               : recipe.chat_template == "model" ? ChatTemplate::load(model)
                                                                 : ChatTemplate::named(recipe.chat_template);
    BadRows bad(names_data(recipe.data) ? recipe.bad_rows : "refuse", std::move(skipped));
    PolicyPrompts prompts{read(train, style, tokenizer, config, bad),
                          read(validation, style, tokenizer, config, bad),
                          0,
                          style.end_of_turn(),
                          {}};
    prompts.skipped = bad.skipped();
    if (prompts.train.empty()) bad.fail_all(recipe.data);
    for (const auto* list : {&prompts.train, &prompts.validation})
        for (const PolicyPrompt& prompt : *list)
            prompts.longest = std::max(prompts.longest, static_cast<std::int64_t>(prompt.ids.size()));
    return prompts;
}

std::string content_of(const PolicyPrompts& prompts) {
    ContentHash hash = ContentHash::sha256();
    for (const auto* list : {&prompts.train, &prompts.validation}) {
        hash.update("set of " + std::to_string(list->size()) + ";");
        for (const PolicyPrompt& prompt : *list) {
            hash.update_list(prompt.ids);
            hash.update_list(prompt.task.text);
            hash.update_list(prompt.task.facts);
        }
    }
    return hash.hex_digest();
}

RandomStream rollout_stream(std::uint64_t seed, std::int64_t rollout, std::int64_t group, int sample) {
    const RandomStream mixer(seed, static_cast<std::uint64_t>(rollout), rollout_salt);
    const std::uint64_t own = (std::uint64_t{mixer.at(0)} << 32) | mixer.at(1);
    return RandomStream(own, static_cast<std::uint64_t>(group), static_cast<std::uint32_t>(sample));
}

std::optional<Rollout> draw_rollout(Sampler& sampler, const std::vector<PolicyPrompt>& all,
                                    const std::vector<std::int64_t>& prompts, const RlooRecipe& recipe,
                                    std::int64_t number, const StopToken& stop) {
    Rollout rollout;
    rollout.prompts = prompts;
    rollout.old_logprobs.resize(prompts.size() * static_cast<std::size_t>(recipe.k));
    for (std::size_t g = 0; g < prompts.size(); ++g) {
        const PolicyPrompt& prompt = all[static_cast<std::size_t>(prompts[g])];
        RolloutGroup group{
            number * recipe.iterations + 1, static_cast<int>(g), prompt.text, prompt.task.facts, {}};
        group.samples.resize(static_cast<std::size_t>(recipe.k));
        rollout.groups.push_back(std::move(group));
    }
    std::size_t next = 0;
    auto source = [&](PromptRequest& request) {
        if (next == prompts.size()) return false;
        const auto g = static_cast<std::int64_t>(next++);
        const auto row = static_cast<std::size_t>(prompts[static_cast<std::size_t>(g)]);
        request.name = name_of(all[row].task, row);
        request.ids = all[static_cast<std::size_t>(prompts[static_cast<std::size_t>(g)])].ids;
        for (int s = 0; s < recipe.k; ++s)
            request.sequences.push_back(
                {g * recipe.k + s, draw_settings(recipe, recipe.temperature),
                 rollout_stream(static_cast<std::uint64_t>(recipe.seed), number, g, s)});
        return true;
    };
    auto cancelled = [&] { return stop.requested() == StopRequest::cancel; };
    sampler.run(
        source,
        [&](DrawnSequence&& drawn) {
            RolloutSample& sample = rollout.sample(drawn.tag);
            sample.sample_index = static_cast<int>(drawn.tag % recipe.k);
            sample.text = std::move(drawn.text);
            sample.token_ids = std::move(drawn.token_ids);
            sample.logprobs = std::move(drawn.tempered);
            sample.finish = std::move(drawn.finish);
            sample.masked = recipe.mask_truncated && sample.finish == "length";
        },
        cancelled);
    if (cancelled()) return std::nullopt;
    return rollout;
}

std::vector<RolloutBatch> make_rollout_batches(const Rollout& rollout, const std::vector<PolicyPrompt>& all,
                                               const std::vector<std::int64_t>& completions,
                                               std::int64_t max_tokens, std::int64_t first_stream,
                                               at::Device device) {
    if (completions.empty()) return {};
    const auto k = static_cast<std::int64_t>(rollout.groups.front().samples.size());
    std::vector<PromptBranches> branches;
    std::vector<std::vector<std::int64_t>> members;
    std::int64_t group = -1;
    for (std::int64_t i : completions) {
        const std::vector<std::int32_t>& ids = rollout.sample(i).token_ids;
        const bool full = !branches.empty()
                          && branches.back().tokens() + static_cast<std::int64_t>(ids.size()) > max_tokens;
        const bool gap = !members.empty() && members.back().back() + 1 != i; // streams count on
        if (i / k != group || full || gap) {
            group = i / k;
            const std::int64_t prompt = rollout.prompts[static_cast<std::size_t>(group)];
            branches.push_back(
                {all[static_cast<std::size_t>(prompt)].ids, {}, first_stream + group * (k + 1) + i % k});
            members.emplace_back();
        }
        branches.back().completions.emplace_back(ids);
        members.back().push_back(i);
    }
    std::vector<std::int64_t> lengths;
    for (const PromptBranches& item : branches)
        lengths.push_back(item.tokens());
    std::vector<RolloutBatch> batches;
    for (const auto& together : token_groups(lengths, max_tokens)) {
        RolloutBatch batch;
        std::vector<PromptBranches> chosen;
        for (std::size_t i : together) {
            chosen.push_back(branches[i]);
            batch.completions.insert(batch.completions.end(), members[i].begin(), members[i].end());
        }
        batch.branched = make_branched_row(chosen, device);
        batches.push_back(std::move(batch));
    }
    return batches;
}

std::optional<std::vector<std::vector<float>>>
completion_logprobs(const PassContext& context, const Rollout& rollout, const std::vector<PolicyPrompt>& all,
                    double temperature, const StopToken& stop) {
    c10::NoGradGuard no_grad;
    std::vector<std::vector<float>> result(static_cast<std::size_t>(rollout.completions()));
    std::vector<std::int64_t> completions(result.size());
    std::iota(completions.begin(), completions.end(), std::int64_t{0});
    for (const RolloutBatch& batch :
         make_rollout_batches(rollout, all, completions, context.micro_batch_tokens, 0, context.device)) {
        if (stop.requested() == StopRequest::cancel) return std::nullopt;
        const BranchedRow& b = batch.branched;
        at::Tensor hidden =
            decoder_hidden(context.model, b.row, context.rope, {}, b.wanted, context.compute_type);
        const TokenScores scores = score_tokens(hidden, context.model.lm_head, b.targets, temperature);
        for (std::size_t c = 0; c < batch.completions.size(); ++c)
            result[static_cast<std::size_t>(batch.completions[c])].assign(
                scores.logprobs.begin() + b.target_bounds[c],
                scores.logprobs.begin() + b.target_bounds[c + 1]);
    }
    return result;
}

RewardSet make_reward_set(const RlooRecipe& recipe, const StopToken& stop, const KeyLookup& keys) {
    RewardSet set;
    RewardOptions options{recipe.max_tokens,
                          recipe.length_limit,
                          recipe.reward_model,
                          recipe.reward_text,
                          select_device(recipe.device),
                          {},
                          stop};
    for (const std::string& text : recipe.rewards) {
        set.names.push_back(parse_reward(text));
        if (set.names.back().name == "remote") set.judge = options.judge = connect_judge(recipe, keys);
        set.functions.push_back(make_reward_function(set.names.back().name, options));
    }
    return set;
}

std::vector<std::vector<RewardScore>> RewardSet::score(std::span<const RewardInput> inputs) const {
    std::vector<std::vector<RewardScore>> scores;
    for (std::size_t f = 0; f < functions.size(); ++f) {
        scores.push_back(functions[f](inputs));
        for (const RewardScore& score : scores.back())
            if (std::isinf(score.value))
                fail(ErrorKind::numeric, "The reward \"" + names[f].name + "\" is infinite.");
    }
    return scores;
}

namespace {

/// Raw rewards into the samples; returns them as rewards[f][i].
std::vector<std::vector<double>> reward_samples(Rollout& rollout, const std::vector<PolicyPrompt>& all,
                                                const RewardSet& rewards) {
    std::vector<RewardInput> inputs;
    for (std::size_t g = 0; g < rollout.groups.size(); ++g)
        for (const RolloutSample& sample : rollout.groups[g].samples)
            inputs.push_back(input_of(all[static_cast<std::size_t>(rollout.prompts[g])], sample.text,
                                      sample.token_ids, sample.finish));
    auto scores = rewards.score(inputs);
    std::vector<std::vector<double>> values(scores.size());
    for (std::size_t f = 0; f < scores.size(); ++f)
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            RolloutSample& sample = rollout.sample(static_cast<std::int64_t>(i));
            values[f].push_back(scores[f][i].value);
            sample.rewards[rewards.names[f].name] = scores[f][i].value;
            if (sample.note.empty()) sample.note = std::move(scores[f][i].note);
        }
    return values;
}

/// The values that make the reward: a completion that the judge behind "remote" could not score has none,
/// whatever else applies to it, for without that part it would pass for one that scored 0.
std::vector<std::vector<double>> counted_values(std::vector<std::vector<double>> values,
                                                const RewardSet& rewards) {
    for (std::size_t f = 0; f < values.size(); ++f)
        for (std::size_t i = 0; i < values[f].size(); ++i)
            if (rewards.names[f].name == "remote" && std::isnan(values[f][i]))
                for (std::vector<double>& other : values)
                    other[i] = values[f][i];
    return values;
}

/// Masks every group without a single reward; says how many there are.
std::int64_t mask_unrewarded(Rollout& rollout, const std::vector<double>& rewards) {
    std::int64_t found = 0, first = 0;
    for (RolloutGroup& group : rollout.groups) {
        const auto begin = rewards.begin() + first;
        first += std::ssize(group.samples);
        if (!std::all_of(begin, rewards.begin() + first, [](double r) { return std::isnan(r); })) continue;
        for (RolloutSample& sample : group.samples)
            sample.masked = true;
        ++found;
    }
    return found;
}

/// Those of every reward function alone.
void add_rewards(const RewardSet& rewards, const std::vector<std::vector<double>>& values,
                 std::vector<Metric>& metrics) {
    for (std::size_t f = 0; f < values.size(); ++f) {
        const MeanAndDeviation own = mean_and_deviation(values[f]);
        metrics.push_back({"rewards/" + rewards.names[f].name + "/mean", own.mean});
        metrics.push_back({"rewards/" + rewards.names[f].name + "/std", own.deviation});
    }
}

/// What asking for `values`[f] took, where function f is a judge behind an endpoint.
void add_judge_metrics(const RewardSet& rewards, const AskTally& before,
                       const std::vector<std::vector<double>>& values, std::vector<Metric>& metrics) {
    if (!rewards.judge) return;
    for (Metric& metric : judge_metrics(rewards.judge->tally(), before))
        metrics.push_back(std::move(metric));
    for (std::size_t f = 0; f < values.size(); ++f)
        if (rewards.names[f].name == "remote")
            metrics.push_back({"judge/unscored", static_cast<double>(std::ranges::count_if(
                                                     values[f], [](double v) { return std::isnan(v); }))});
}

} // namespace

std::vector<Metric> judge_rollout(Rollout& rollout, const std::vector<PolicyPrompt>& all,
                                  const RewardSet& rewards, const RlooRecipe& recipe) {
    const AskTally before = rewards.judge ? rewards.judge->tally() : AskTally();
    const auto values = reward_samples(rollout, all, rewards);
    const auto n = static_cast<std::size_t>(rollout.completions());
    RewardShaping shaping{{}, recipe.missing_eos_penalty, recipe.reward_normalise, recipe.reward_clip};
    RewardShaping plain;
    for (const WeightedReward& name : rewards.names)
        shaping.weights.push_back(name.weight), plain.weights.push_back(name.weight);

    std::vector<bool> cut(n);
    for (std::size_t i = 0; i < n; ++i)
        cut[i] = rollout.sample(static_cast<std::int64_t>(i)).finish == "length";
    const auto counting = counted_values(values, rewards);
    const std::vector<double> shaped = shape_rewards(counting, cut, shaping);
    const std::int64_t unrewarded = mask_unrewarded(rollout, shaped);
    std::vector<MeasuredKl> divergences;
    const KlEstimator estimator = kl_estimator_from(recipe.kl_estimator);
    double kl = 0, kl_tokens = 0, masked = 0;
    for (std::size_t i = 0; i < n; ++i) {
        RolloutSample& sample = rollout.sample(static_cast<std::int64_t>(i));
        sample.reward = shaped[i];
        sample.kl = sample.masked ? 0 : kl_of_sequence(estimator, sample.logprobs, sample.ref_logprobs);
        divergences.push_back(
            {sample.kl, logprob_rounding * static_cast<double>(sample.ref_logprobs.size())});
        if (!sample.masked) kl_tokens += static_cast<double>(sample.ref_logprobs.size());
        kl += sample.kl;
        masked += sample.masked ? 1 : 0;
    }
    const std::vector<double> compared =
        rewards_after_kl(shaped, divergences, recipe.k, recipe.kl_in == "reward" ? recipe.kl_coef : 0);
    const Advantages advantages =
        leave_one_out(compared, recipe.k, recipe.advantage_normalise, recipe.advantage_epsilon);
    for (std::size_t i = 0; i < n; ++i) {
        RolloutSample& sample = rollout.sample(static_cast<std::int64_t>(i));
        sample.baseline = advantages.baselines[i];
        sample.advantage = advantages.advantages[i];
    }

    const MeanAndDeviation reward = mean_and_deviation(shape_rewards(counting, std::vector<bool>(n), plain));
    std::vector<Metric> metrics{{"reward", reward.mean}, {"reward_std", reward.deviation}};
    add_rewards(rewards, values, metrics);
    if (recipe.kl_coef > 0) {
        metrics.push_back({"kl", kl / std::max(1.0, kl_tokens)});
        metrics.push_back({"kl_sum", kl / static_cast<double>(n)});
    }
    add_lengths(rollout, metrics);
    const auto groups = static_cast<double>(advantages.groups);
    metrics.push_back(
        {"frac_reward_zero_std", static_cast<double>(advantages.groups_without_variance) / groups});
    metrics.push_back({"frac_reward_alike", static_cast<double>(groups_alike(shaped, recipe.k)) / groups});
    metrics.push_back({"completions/masked_ratio", masked / static_cast<double>(n)});
    add_judge_metrics(rewards, before, values, metrics);
    if (unrewarded > 0) metrics.push_back({"groups_without_reward", static_cast<double>(unrewarded)});
    return metrics;
}

std::optional<std::vector<Metric>> evaluate_policy(Sampler& sampler, const std::vector<PolicyPrompt>& prompts,
                                                   const RewardSet& rewards, const RlooRecipe& recipe,
                                                   const Sampler::Interrupted& interrupted) {
    std::vector<DrawnSequence> drawn(prompts.size());
    std::size_t next = 0;
    auto source = [&](PromptRequest& request) {
        if (next == prompts.size()) return false;
        request.name = "Held-out prompt " + std::to_string(next + 1);
        request.ids = prompts[next].ids;
        request.sequences.push_back({static_cast<std::int64_t>(next),
                                     draw_settings(recipe, recipe.eval_temperature),
                                     rollout_stream(static_cast<std::uint64_t>(recipe.seed), -1,
                                                    static_cast<std::int64_t>(next), 0)});
        ++next;
        return true;
    };
    sampler.run(
        source, [&](DrawnSequence&& one) { drawn[static_cast<std::size_t>(one.tag)] = std::move(one); },
        interrupted);
    if (interrupted()) return std::nullopt;

    std::vector<RewardInput> inputs;
    std::vector<double> verified, lengths, cut;
    for (std::size_t i = 0; i < prompts.size(); ++i) {
        inputs.push_back(input_of(prompts[i], drawn[i].text, drawn[i].token_ids, drawn[i].finish));
        verified.push_back(verify_by_facts(prompts[i].task.facts, drawn[i].text).value);
        lengths.push_back(static_cast<double>(drawn[i].token_ids.size()));
        cut.push_back(drawn[i].finish == "length" ? 1 : 0);
    }
    std::vector<std::vector<double>> values;
    RewardShaping plain;
    for (const auto& scores : rewards.score(inputs)) {
        plain.weights.push_back(rewards.names[values.size()].weight);
        values.emplace_back();
        for (const RewardScore& score : scores)
            values.back().push_back(score.value);
    }
    const double reward = mean_and_deviation(shape_rewards(counted_values(std::move(values), rewards),
                                                           std::vector<bool>(prompts.size()), plain))
                              .mean;
    const double score = mean_and_deviation(verified).mean;
    std::vector<Metric> metrics;
    if (!std::isnan(score)) metrics.push_back({"eval_score", score});
    if (!std::isnan(reward) || metrics.empty()) metrics.push_back({"eval_reward", reward});
    metrics.push_back({"eval_mean_length", mean_and_deviation(lengths).mean});
    metrics.push_back({"eval_clipped_ratio", mean_and_deviation(cut).mean});
    return metrics;
}

} // namespace tempera
