#include "core/engine/train/sft.h"

#include "core/engine/model/decoder_io.h"
#include "core/engine/train/machine.h"
#include "core/engine/train/sft_setup.h"
#include "core/engine/train/sft_step.h"
#include "core/engine/train/training_run.h"

namespace fs = std::filesystem;

namespace tempera {

namespace {

/// Example numbers as row numbers of the file, from 1.
std::vector<std::int64_t> row_numbers(const TokenisedSet& set, const std::vector<std::int64_t>& examples) {
    std::vector<std::int64_t> rows;
    for (std::int64_t example : examples)
        rows.push_back(set.source_rows[static_cast<std::size_t>(example)] + 1);
    return rows;
}

std::optional<std::vector<Metric>> evaluation(const PassContext& context, const TokenisedSet& set,
                                              const StopToken& stop) {
    PassResult result = evaluate(context, set.examples, stop);
    if (result.cancelled) return std::nullopt;
    return std::vector<Metric>{{"eval_loss", result.loss},
                               {"eval_entropy", result.entropy},
                               {"eval_mean_token_accuracy", result.accuracy}};
}

RunOutcome train(const RunRequest& request, RunObserver& observer, const StopToken& stop) {
    const SftRecipe recipe = SftRecipe::from(request.recipe);
    TrainingRun run = begin_training(request, observer, stop, recipe, recipe);
    at::Device device = select_device(recipe.device);
    TrainedModel model = load_trained_model(recipe, run.resume_from);
    TrainingData data = load_training_data(recipe, model, observer);
    move_decoder(model.decoder, device);
    RopeTable rope = make_rope_table(model.decoder.config, data.longest, device);
    PassContext context{model.decoder, rope, device, compute_type_of(recipe), recipe.micro_batch_tokens};

    auto rows = static_cast<std::int64_t>(data.train.examples.size());
    BatchPlan plan(rows, recipe.batch_size, recipe.accumulation, static_cast<std::uint64_t>(recipe.seed));
    run.save_model = [&](const fs::path& folder) { model.save(folder); };
    run.complete_model = [&](const fs::path& folder) { model.complete(folder); };
    take_up(run, trained_parameters(model.decoder), {rows, content_of(data)},
            plan.total_steps(recipe.epochs, recipe.max_steps), model.decoder.config.parameter_count());
    Evaluate evaluate;
    if (!data.validation.examples.empty())
        evaluate = [&] { return evaluation(context, data.validation, stop); };

    while (goes_on(run)) {
        if (run.cancelled()) return RunOutcome::cancelled;
        begin_step(run);
        auto batches = plan.batches(run.state.step);
        std::int64_t first_stream = run.state.step * recipe.batch_size * recipe.accumulation;
        PassResult pass = accumulate_gradients(context, data.train.examples, batches, {true, run.state.seed},
                                               first_stream, stop);
        if (pass.cancelled) return RunOutcome::cancelled;
        if (!pass.bad_rows.empty()) fail_numeric(run, "loss", row_numbers(data.train, pass.bad_rows));

        StepReport report{
            .means = {{"loss", pass.loss}, {"entropy", pass.entropy}, {"mean_token_accuracy", pass.accuracy}},
            .tokens = pass.tokens,
            .epoch = plan.epoch_after(run.state.step + 1)};
        apply_step(run, row_numbers(data.train, all_rows(batches)), report);
        if (auto end = close_step(run, report, evaluate)) return *end;
    }
    return finish_training(run);
}

} // namespace

RunOutcome run_sft(const RunRequest& request, RunObserver& observer, const StopToken& stop) {
    return guard_memory([&] { return train(request, observer, stop); });
}

} // namespace tempera
