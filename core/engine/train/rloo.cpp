#include "core/engine/train/rloo.h"

#include "core/base/counted.h"
#include "core/base/error.h"
#include "core/engine/model/decoder_io.h"
#include "core/engine/train/batches.h"
#include "core/engine/train/machine.h"
#include "core/engine/train/rloo_step.h"
#include "core/engine/train/rollout.h"
#include "core/engine/train/trained_model.h"
#include "core/engine/train/training_run.h"
#include "core/queue/skipped_rows.h"

#include <algorithm>
#include <cmath>

namespace fs = std::filesystem;

namespace tempera {

namespace {

/// The decoder whose log-probabilities the KL estimate compares with: the policy's own weights with the
/// adapter off, or a second copy of what a fully trained policy started from.
Decoder reference_of(const RlooRecipe& recipe, const Decoder& policy) {
    if (!recipe.is_lora()) return load_decoder(recipe.model);
    Decoder reference = policy; // shares the tensors
    for (DecoderLayer& layer : reference.layers)
        for (Linear* linear : {&layer.qkv, &layer.o, &layer.gate_up, &layer.down})
            linear->lora.clear();
    return reference;
}

/// What the steps of a run share.
struct Rloo {
    const RlooRecipe& recipe;
    const PolicyPrompts& prompts;
    const RewardSet rewards;
    const PassContext policy;
    const std::optional<PassContext> reference;
    Sampler& sampler;
    const StopToken& stop;

    bool trainer_logprobs() const {
        return recipe.old_logprobs == "trainer" || recipe.dtype != "float32" || !recipe.disable_dropout;
    }
    std::optional<std::vector<Metric>> fill(Rollout& rollout) const;
};

/// Everything about a fresh rollout: log-probabilities, rewards, advantages. Returns its metrics; nothing
/// where it was cancelled.
std::optional<std::vector<Metric>> Rloo::fill(Rollout& rollout) const {
    if (trainer_logprobs()) {
        auto own = completion_logprobs(policy, rollout, prompts.train, recipe.temperature, stop);
        if (!own) return std::nullopt;
        for (std::size_t i = 0; i < own->size(); ++i)
            rollout.sample(static_cast<std::int64_t>(i)).logprobs = (*own)[i];
        // with dropout the pass that trains computes other ones
        if (!recipe.disable_dropout) rollout.old_logprobs = std::move(*own);
    }
    if (reference) {
        auto own = completion_logprobs(*reference, rollout, prompts.train, recipe.temperature, stop);
        if (!own) return std::nullopt;
        for (std::size_t i = 0; i < own->size(); ++i)
            rollout.sample(static_cast<std::int64_t>(i)).ref_logprobs = std::move((*own)[i]);
    }
    return judge_rollout(rollout, prompts.train, rewards, recipe);
}

/// As TRL counts: the prompt's tokens with every completion.
std::int64_t token_count(const Rollout& rollout, const std::vector<PolicyPrompt>& prompts) {
    std::size_t tokens = 0;
    for (std::size_t g = 0; g < rollout.groups.size(); ++g)
        for (const RolloutSample& sample : rollout.groups[g].samples)
            tokens +=
                prompts[static_cast<std::size_t>(rollout.prompts[g])].ids.size() + sample.token_ids.size();
    return static_cast<std::int64_t>(tokens);
}

/// Prompts by number from 1, of the completions in `rows`.
std::vector<std::int64_t> prompt_numbers(const Rollout& rollout, const std::vector<std::int64_t>& rows,
                                         std::int64_t k) {
    std::vector<std::int64_t> numbers;
    for (std::int64_t row : rows) {
        const std::int64_t number = rollout.prompts[static_cast<std::size_t>(row / k)] + 1;
        if (std::ranges::find(numbers, number) == numbers.end()) numbers.push_back(number);
    }
    return numbers;
}

/// How many of the prompts have a verdict, whatever the answer.
std::int64_t verifiable(const std::vector<PolicyPrompt>& prompts) {
    return std::ranges::count_if(prompts, [](const PolicyPrompt& prompt) {
        return !std::isnan(verify_by_facts(prompt.task.facts, "").value);
    });
}

/// Groups that taught nothing because nothing could be said of them.
void tell_unrewarded(const TrainingRun& run, const std::vector<Metric>& metrics) {
    for (const Metric& metric : metrics)
        if (metric.name == "groups_without_reward")
            run.event("warning",
                      counted(static_cast<std::int64_t>(metric.value), "group")
                          + " of this step have no reward and are skipped: no reward function gave "
                            "any of their completions a score.");
}

/// What a run works with; the other parts refer to it.
struct Loaded {
    TrainedModel model;
    Tokenizer tokenizer;
    PolicyPrompts prompts;
    Decoder reference; ///< empty without kl_coef
    RopeTable rope;
};

Loaded load(const RlooRecipe& recipe, const TrainingRun& run, at::Device device) {
    TrainedModel model =
        load_trained_model(recipe.model, recipe, static_cast<std::uint64_t>(recipe.seed), run.resume_from);
    Tokenizer tokenizer = load_tokenizer(model);
    PolicyPrompts prompts =
        load_policy_prompts(recipe, model.tokenizer_folder, tokenizer, model.decoder.config);
    report_skipped(prompts.skipped, run.observer);
    move_decoder(model.decoder, device);
    Decoder reference;
    if (recipe.kl_coef > 0) {
        reference = reference_of(recipe, model.decoder);
        move_decoder(reference, device);
    }
    const std::int64_t positions = model.decoder.config.max_positions;
    RopeTable rope = make_rope_table(model.decoder.config,
                                     std::min(prompts.longest + recipe.max_tokens, positions), device);
    return {std::move(model), std::move(tokenizer), std::move(prompts), std::move(reference),
            std::move(rope)};
}

SamplerOptions drawing_of(const RlooRecipe& recipe, const PolicyPrompts& prompts, int threads) {
    SamplerOptions drawing;
    drawing.threads = threads;
    drawing.max_tokens = recipe.max_tokens;
    drawing.stop = recipe.stop;
    if (!prompts.end_of_turn.empty()) drawing.stop.push_back(prompts.end_of_turn);
    return drawing;
}

void watch_over(TrainingRun& run, const RlooRecipe& recipe, const PolicyPrompts& prompts) {
    run.health = HealthWatch({recipe.kl_limit, static_cast<double>(recipe.max_tokens), recipe.max_grad_norm,
                              static_cast<double>(verifiable(prompts.validation))});
    if (recipe.kl_coef == 0 && recipe.kl_limit > 0)
        run.event("log", "kl_limit does nothing in this run: with kl_coef 0 no divergence is measured.");
}

/// Draws and judges the completions that the next steps learn from; false where it was cancelled.
bool draw(const Rloo& rloo, TrainingRun& run, BatchPlan& plan, Rollout& rollout, StepReport& report) {
    const RlooRecipe& recipe = rloo.recipe;
    const std::int64_t number = run.state.step / recipe.iterations;
    run.observer.on_progress(run.meter.progress("sampling", run.state.step));
    auto drawn = draw_rollout(rloo.sampler, rloo.prompts.train, plan.batches(number).front(), recipe, number,
                              run.stop);
    if (!drawn) return false;
    rollout = std::move(*drawn);
    auto metrics = rloo.fill(rollout);
    if (!metrics) return false;
    report.means = std::move(*metrics);
    tell_unrewarded(run, report.means);
    report.tokens = token_count(rollout, rloo.prompts.train);
    const std::int64_t log = std::max<std::int64_t>(recipe.log_steps, 1),
                       last = run.state.step + recipe.iterations;
    if (last / log > run.state.step / log || last >= run.state.total_steps)
        run.observer.on_rollouts(rollout.groups);
    return true;
}

/// One optimiser step on them; false where it was cancelled.
bool learn(const Rloo& rloo, TrainingRun& run, Rollout& rollout, StepReport& report) {
    const RlooRecipe& recipe = rloo.recipe;
    const std::int64_t first_stream = run.state.step * recipe.prompts_per_step() * (recipe.k + 1);
    const PolicyPass pass = accumulate_policy_gradients(
        rloo.policy, rollout, rloo.prompts.train, policy_choices(recipe),
        {.training = !recipe.disable_dropout, .seed = run.state.seed}, first_stream, run.stop);
    if (pass.cancelled) return false;
    if (!pass.bad_completions.empty())
        fail_numeric(run, "loss", prompt_numbers(rollout, pass.bad_completions, recipe.k));
    for (const Metric& metric : pass.metrics())
        report.means.push_back(metric);
    std::vector<std::int64_t> numbers;
    for (std::int64_t prompt : rollout.prompts)
        numbers.push_back(prompt + 1);
    apply_step(run, numbers, report);
    return true;
}

RunOutcome train(const RunRequest& request, RunObserver& observer, const StopToken& stop) {
    const RlooRecipe recipe = RlooRecipe::from(request.recipe);
    TrainingRun run = begin_training(request, observer, stop, recipe, recipe);
    const at::Device device = select_device(recipe.device);
    Loaded loaded = load(recipe, run, device);
    TrainedModel& model = loaded.model;
    const PolicyPrompts& prompts = loaded.prompts;
    Sampler sampler(model.decoder, loaded.tokenizer, drawing_of(recipe, prompts, run.threads));

    auto context = [&](const Decoder& decoder) {
        return PassContext{decoder, loaded.rope, device, compute_type_of(recipe), recipe.micro_batch_tokens};
    };
    const Rloo rloo{recipe,
                    prompts,
                    make_reward_set(recipe, stop, request.keys),
                    context(model.decoder),
                    recipe.kl_coef > 0 ? std::optional(context(loaded.reference)) : std::nullopt,
                    sampler,
                    stop};
    const auto rows = static_cast<std::int64_t>(prompts.train.size());
    BatchPlan plan(rows, recipe.prompts_per_step(), 1, static_cast<std::uint64_t>(recipe.seed));
    Rollout rollout;
    run.save_model = [&](const fs::path& folder) { model.save(folder); };
    run.complete_model = [&](const fs::path& folder) { model.complete(folder); };
    run.save_more = [&](const fs::path& folder) {
        if (run.state.step % recipe.iterations != 0) save_rollout(rollout, folder);
    };
    watch_over(run, recipe, prompts);
    take_up(run, trained_parameters(model.decoder), {rows, content_of(prompts)},
            recipe.max_steps > 0 ? recipe.max_steps : plan.total_steps(recipe.epochs, 0) * recipe.iterations,
            model.decoder.config.parameter_count());
    if (run.state.step % recipe.iterations != 0) {
        const auto drawn = plan.batches(run.state.step / recipe.iterations).front();
        rollout = load_rollout(run.resume_from, static_cast<std::int64_t>(drawn.size()) * recipe.k);
    }
    Evaluate evaluate;
    if (!prompts.validation.empty())
        evaluate = [&] {
            return evaluate_policy(sampler, prompts.validation, rloo.rewards, recipe, [&] {
                // Before the first step nothing is lost: a stop need not wait for it.
                return run.state.step == 0 ? bool{stop} : run.cancelled();
            });
        };

    if (!evaluate_start(run, evaluate)) return run.cancelled() ? RunOutcome::cancelled : RunOutcome::stopped;
    while (goes_on(run)) {
        if (run.cancelled()) return RunOutcome::cancelled;
        begin_step(run);
        const std::int64_t number = run.state.step / recipe.iterations;
        StepReport report{.means = {}, .tokens = 0, .epoch = plan.epoch_after(number + 1)};
        if (run.state.step % recipe.iterations == 0 && !draw(rloo, run, plan, rollout, report))
            return RunOutcome::cancelled;
        if (!learn(rloo, run, rollout, report)) return RunOutcome::cancelled;
        if (auto end = close_step(run, report, evaluate)) return *end;
    }
    return finish_training(run);
}

} // namespace

RunOutcome run_rloo(const RunRequest& request, RunObserver& observer, const StopToken& stop) {
    return guard_memory([&] { return train(request, observer, stop); });
}

} // namespace tempera
