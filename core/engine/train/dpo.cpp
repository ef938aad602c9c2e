#include "core/engine/train/dpo.h"

#include "core/engine/model/decoder_io.h"
#include "core/engine/train/batches.h"
#include "core/engine/train/dpo_setup.h"
#include "core/engine/train/dpo_step.h"
#include "core/engine/train/machine.h"

#include <numeric>

namespace fs = std::filesystem;

namespace tempera {

namespace {

std::vector<std::int64_t> row_numbers(const TokenisedPairs& set, const std::vector<std::int64_t>& examples) {
    std::vector<std::int64_t> rows;
    for (std::int64_t example : examples)
        rows.push_back(set.examples[static_cast<std::size_t>(example)].row);
    return rows;
}

/// Every row that the plan's steps take: all of them, but for a run of less than an epoch.
std::vector<std::int64_t> rows_of(BatchPlan plan, std::int64_t total_steps) {
    std::vector<std::int64_t> rows;
    for (std::int64_t step = 0; step < std::min(total_steps, plan.steps_per_epoch()); ++step)
        for (std::int64_t row : all_rows(plan.batches(step)))
            rows.push_back(row);
    return rows;
}

/// Makes sure that the reference knows `rows`; false where it was cancelled.
bool know(ReferenceLogprobs& known, const Reference& reference, const PassContext& policy,
          const std::vector<PairExample>& examples, const std::vector<std::int64_t>& rows,
          const StopToken& stop) {
    if (!reference.decoder) return true;
    PassContext pass{*reference.decoder, reference.rope, policy.device, policy.compute_type,
                     policy.micro_batch_tokens};
    return fill_reference(known, pass, examples, rows, stop);
}

std::optional<std::vector<Metric>> evaluation(const PassContext& context, const DpoLoss& loss,
                                              const std::vector<PairExample>& examples, Reference& reference,
                                              const StopToken& stop) {
    std::vector<std::int64_t> rows(examples.size());
    std::iota(rows.begin(), rows.end(), std::int64_t{0});
    if (!know(reference.validation, reference, context, examples, rows, stop)) return std::nullopt;
    DpoPass pass = evaluate_pairs(context, examples, reference.validation, loss, stop);
    if (pass.cancelled) return std::nullopt;
    std::vector<Metric> metrics{{"eval_loss", pass.loss}};
    for (const Metric& metric : pass.metrics)
        metrics.push_back({"eval_" + metric.name, metric.value});
    return metrics;
}

RunOutcome train(const RunRequest& request, RunObserver& observer, const StopToken& stop) {
    const DpoRecipe recipe = DpoRecipe::from(request.recipe);
    TrainingRun run = begin_training(request, observer, stop, recipe, recipe);
    const auto seed = static_cast<std::uint64_t>(recipe.seed);
    at::Device device = select_device(recipe.device);
    TrainedModel model = load_trained_model(recipe.model, recipe, seed, run.resume_from);
    PairData data = load_pairs(recipe, model, observer);
    move_decoder(model.decoder, device);
    RopeTable rope = make_rope_table(model.decoder.config, data.longest(), device);
    PassContext context{model.decoder, rope, device, compute_type_of(recipe), recipe.micro_batch_tokens};

    const auto& examples = data.train.examples;
    auto rows = static_cast<std::int64_t>(examples.size());
    BatchPlan plan(rows, recipe.batch_size, recipe.accumulation, seed);
    run.save_model = [&](const fs::path& folder) { model.save(folder); };
    run.complete_model = [&](const fs::path& folder) { model.complete(folder); };
    take_up(run, trained_parameters(model.decoder), {rows, content_of(data)},
            plan.total_steps(recipe.epochs, recipe.max_steps), model.decoder.config.parameter_count());

    auto reference =
        prepare_reference(recipe, model, context, data, rows_of(plan, run.state.total_steps), run);
    if (!reference) return RunOutcome::cancelled;
    const DpoLoss loss = dpo_loss_of(recipe);
    const DropoutSource dropout{!recipe.disable_dropout, seed};
    Evaluate evaluate;
    if (!data.validation.examples.empty())
        evaluate = [&] { return evaluation(context, loss, data.validation.examples, *reference, stop); };

    while (goes_on(run)) {
        if (run.cancelled()) return RunOutcome::cancelled;
        begin_step(run);
        auto batches = plan.batches(run.state.step);
        auto step_rows = all_rows(batches);
        if (!know(reference->train, *reference, context, examples, step_rows, stop))
            return RunOutcome::cancelled;
        std::int64_t first_stream = run.state.step * recipe.batch_size * recipe.accumulation;
        DpoPass pass = accumulate_pair_gradients(context, examples, reference->train, batches, loss, dropout,
                                                 first_stream, stop);
        if (pass.cancelled) return RunOutcome::cancelled;
        if (!pass.bad_rows.empty()) fail_numeric(run, "loss", row_numbers(data.train, pass.bad_rows));

        StepReport report{.means = {{"loss", pass.loss}},
                          .tokens = pass.tokens,
                          .epoch = plan.epoch_after(run.state.step + 1)};
        report.means.insert(report.means.end(), pass.metrics.begin(), pass.metrics.end());
        apply_step(run, row_numbers(data.train, step_rows), report);
        if (auto end = close_step(run, report, evaluate)) return *end;
    }
    return finish_training(run);
}

} // namespace

RunOutcome run_dpo(const RunRequest& request, RunObserver& observer, const StopToken& stop) {
    return guard_memory([&] { return train(request, observer, stop); });
}

} // namespace tempera
