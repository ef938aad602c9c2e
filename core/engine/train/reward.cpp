#include "core/engine/train/reward.h"

#include "core/base/error.h"
#include "core/engine/model/decoder_io.h"
#include "core/engine/model/encoder_io.h"
#include "core/engine/train/batches.h"
#include "core/engine/train/machine.h"
#include "core/engine/train/reward_step.h"
#include "core/engine/train/training_run.h"

#include <algorithm>
#include <cmath>

namespace fs = std::filesystem;

namespace tempera {

namespace {

/// The recipe's encoder with a head and room for all of the tokenizer's ids, or the checkpoint's.
Encoder load_trained_encoder(const RewardRecipe& recipe, const fs::path& tokenizer, const TrainingRun& run) {
    if (!run.resume_from.empty()) return load_encoder(run.resume_from / "model").model;
    LoadedEncoder loaded =
        load_encoder(recipe.model, {.fresh_head = true, .seed = static_cast<std::uint64_t>(recipe.seed)});
    if (!loaded.fresh.empty())
        run.event("log", "The model has no whole reward head: " + std::to_string(loaded.fresh.size())
                             + " of its tensors are drawn anew, from " + loaded.fresh.front() + " on.");
    std::int64_t ids = Tokenizer::load(tokenizer).id_limit();
    resize_vocabulary(loaded.model, std::max(loaded.model.config.vocab_size, ids));
    return std::move(loaded.model);
}

std::vector<Parameter> trained_parameters(const Encoder& model) {
    std::vector<Parameter> list;
    for (const NamedWeight& weight : huggingface_weights(model))
        list.push_back({weight.name, weight.view, weight.view.dim() > 1});
    return list;
}

std::int64_t count_parameters(const Encoder& model) {
    std::int64_t count = 0;
    for (const NamedWeight& weight : huggingface_weights(model))
        count += weight.view.numel();
    return count;
}

std::vector<std::int64_t> row_numbers(const std::vector<RewardExample>& examples,
                                      const std::vector<std::int64_t>& chosen) {
    std::vector<std::int64_t> rows;
    for (std::int64_t index : chosen)
        rows.push_back(examples[static_cast<std::size_t>(index)].row);
    return rows;
}

RunOutcome train(const RunRequest& request, RunObserver& observer, const StopToken& stop) {
    const RewardRecipe recipe = RewardRecipe::from(request.recipe);
    const bool regression = recipe.is_regression();
    TrainingRun run = begin_training(request, observer, stop, recipe, recipe);
    const at::Device device = select_device(recipe.device);
    const fs::path tokenizer = request.folder / "tokenizer";
    prepare_tokenizer(recipe.model, recipe.added_tokens, tokenizer);
    Encoder model = load_trained_encoder(recipe, tokenizer, run);
    move_encoder(model, device);
    const RewardTokeniser tokeniser(
        tokenizer, {reward_form_from(recipe.text), recipe.system, recipe.max_length}, model.config);
    const RewardData data = load_reward_data(recipe, tokeniser, observer);
    const auto examples = reward_examples(data.train, regression);

    run.save_model = [&](const fs::path& folder) {
        save_encoder(model, folder);
        copy_tokenizer_files(tokenizer, folder);
        write_reward_format(tokeniser.format(), folder);
    };
    const auto rows = static_cast<std::int64_t>(examples.size());
    BatchPlan plan(rows, recipe.batch_size, recipe.accumulation, static_cast<std::uint64_t>(recipe.seed));
    take_up(run, trained_parameters(model), {rows, content_of(data)},
            plan.total_steps(recipe.epochs, recipe.max_steps), count_parameters(model));
    const RewardPassContext context{model, device, recipe.micro_batch_tokens, recipe.center_rewards,
                                    EncoderDropout{recipe.dropout, run.state.seed}};
    Evaluate evaluate;
    if (!data.validation.empty())
        evaluate = [&] {
            auto metrics = evaluate_reward(context, data.validation, regression, stop);
            // Beside the headline eval_loss, which is that of the best evaluation.
            if (metrics && metrics->front().value < run.state.best_eval_loss.value_or(HUGE_VAL)
                && (*metrics)[1].name == "eval_accuracy")
                observer.on_headline("eval_accuracy", (*metrics)[1].value);
            return metrics;
        };

    while (goes_on(run)) {
        if (run.cancelled()) return RunOutcome::cancelled;
        begin_step(run);
        const auto chosen = all_rows(plan.batches(run.state.step));
        const std::int64_t first_stream = 2 * run.state.step * recipe.batch_size * recipe.accumulation;
        RewardPassResult pass = accumulate_reward_gradients(context, examples, chosen, first_stream, stop);
        if (pass.cancelled) return RunOutcome::cancelled;
        if (!pass.bad_rows.empty()) fail_numeric(run, "loss", pass.bad_rows);

        StepReport report{
            .means = pass.means, .tokens = pass.tokens, .epoch = plan.epoch_after(run.state.step + 1)};
        apply_step(run, row_numbers(examples, chosen), report);
        if (auto end = close_step(run, report, evaluate)) return *end;
    }
    return finish_training(run);
}

} // namespace

RunOutcome run_reward(const RunRequest& request, RunObserver& observer, const StopToken& stop) {
    return guard_memory([&] { return train(request, observer, stop); });
}

} // namespace tempera
