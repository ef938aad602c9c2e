#include "core/engine/train/sft.h"

#include "core/base/error.h"
#include "core/engine/checkpoint/checkpoint.h"
#include "core/engine/model/decoder_io.h"
#include "core/engine/train/machine.h"
#include "core/engine/train/progress_meter.h"
#include "core/engine/train/schedule.h"
#include "core/engine/train/sft_setup.h"
#include "core/engine/train/sft_step.h"

#include <cmath>

namespace fs = std::filesystem;

namespace tempera {

namespace {

/// One run: what its steps share.
struct Sft {
    const SftRecipe recipe;
    const RunRequest& request;
    RunObserver& observer;
    const StopToken& stop;
    const fs::path checkpoints;

    TrainedModel model;
    TrainingData data;
    RopeTable rope;
    std::unique_ptr<Optimiser> optimiser;
    TrainingState state;
    at::Device device = at::kCPU;

    void event(const std::string& kind, const std::string& message) {
        observer.on_event({0, 0, state.step, kind, message});
    }
    PassContext context() const {
        auto type = recipe.dtype == "bfloat16" ? at::kBFloat16 : at::kFloat;
        return {model.decoder, rope, device, type, recipe.micro_batch_tokens};
    }
    bool cancelled() const { return stop.requested() == StopRequest::cancel; }
};

/// The newest checkpoint that verifies, as a folder; empty where the run starts from the beginning.
fs::path resume_folder(Sft& run) {
    sweep_staged(run.checkpoints);
    sweep_staged(run.request.folder);
    if (!run.request.resume) return {};
    auto step = newest_checkpoint(run.checkpoints,
                                  [&](const std::string& sentence) { run.event("warning", sentence); });
    return step ? run.checkpoints / std::to_string(*step) : fs::path();
}

/// Takes up the checkpoint's state, after checking that model, data and machine are the ones it was made
/// with.
void take_up(Sft& run, const fs::path& checkpoint) {
    TrainingState fresh = run.state;
    if (!checkpoint.empty()) {
        run.state = load_training_state(*run.optimiser, checkpoint);
        if (run.state.rows != fresh.rows || run.state.seed != fresh.seed
            || run.state.total_steps != fresh.total_steps)
            fail(ErrorKind::bad_input,
                 "The checkpoint in " + checkpoint.string() + " was made with other data, seed or length ("
                     + std::to_string(run.state.rows) + " rows, " + std::to_string(run.state.total_steps)
                     + " steps) than this run has (" + std::to_string(fresh.rows) + " rows, "
                     + std::to_string(fresh.total_steps) + " steps); start a new run instead of resuming.");
        if (run.state.threads != fresh.threads)
            run.event("warning", "The run was started with " + std::to_string(run.state.threads)
                                     + " threads and goes on with " + std::to_string(fresh.threads)
                                     + ": its numbers may differ in the last digits.");
        run.state.threads = fresh.threads;
    }
    if (run.request.resume) run.event("resumed", "Goes on from step " + std::to_string(run.state.step) + ".");
}

void save_checkpoint(Sft& run, bool best, std::optional<double> eval_loss) {
    fs::path folder = write_checkpoint(run.checkpoints, run.state.step, [&](const fs::path& target) {
        fs::create_directory(target / "model");
        run.model.save(target / "model");
        save_training_state(run.state, *run.optimiser, target);
    });
    run.observer.on_checkpoint(
        {run.state.step, fs::relative(folder, run.request.folder).string(), eval_loss, best});
    prune_checkpoints(run.checkpoints, run.recipe.keep_checkpoints, {run.state.best_step});
}

/// Returns the loss; nothing where the run was cancelled.
std::optional<double> run_evaluation(Sft& run, ProgressMeter& meter) {
    auto began = ProgressMeter::Clock::now();
    run.observer.on_progress(meter.progress("evaluating", run.state.step));
    PassResult result = evaluate(run.context(), run.data.validation.examples, run.stop);
    if (result.cancelled) return std::nullopt;
    std::vector<Metric> metrics{{"eval_loss", result.loss},
                                {"eval_entropy", result.entropy},
                                {"eval_mean_token_accuracy", result.accuracy},
                                {"eval_runtime", ProgressMeter::seconds_since(began)}};
    run.observer.on_metrics(run.state.step, metrics);
    bool gain =
        std::isfinite(result.loss) && (!run.state.best_eval_loss || result.loss < *run.state.best_eval_loss);
    if (gain) {
        run.state.best_eval_loss = result.loss;
        run.state.best_step = run.state.step;
        run.state.evaluations_without_gain = 0;
        run.observer.on_headline("eval_loss", result.loss);
    } else {
        ++run.state.evaluations_without_gain;
        run.state.early_stopped =
            run.recipe.patience > 0 && run.state.evaluations_without_gain >= run.recipe.patience;
    }
    return result.loss;
}

std::string row_list(const Sft& run, const std::vector<std::int64_t>& rows) {
    constexpr std::size_t most = 20;
    std::string text;
    for (std::size_t k = 0; k < std::min(rows.size(), most); ++k) {
        std::int64_t row = run.data.train.source_rows[static_cast<std::size_t>(rows[k])] + 1;
        text += (text.empty() ? "" : ", ") + std::to_string(row);
    }
    if (rows.size() > most) text += " and " + std::to_string(rows.size() - most) + " more";
    return text;
}

[[noreturn]] void fail_numeric(const Sft& run, const std::string& what,
                               const std::vector<std::int64_t>& rows) {
    auto kept = checkpoint_steps(run.checkpoints);
    fail(ErrorKind::numeric, "The " + what + " is not finite at step " + std::to_string(run.state.step + 1)
                                 + ", in training rows " + row_list(run, rows)
                                 + ". The step was not applied; "
                                 + (kept.empty() ? "there is no checkpoint yet"
                                                 : "checkpoint " + std::to_string(kept.back()) + " is kept")
                                 + ". Lower learning_rate or look at these rows.");
}

struct StepResult {
    PassResult pass;
    double gradient_norm = 0;
    double learning_rate = 0;
    double seconds = 0;
};

/// One optimiser step. pass.cancelled: nothing was applied.
StepResult take_step(Sft& run, BatchPlan& plan) {
    const SftRecipe& recipe = run.recipe;
    StepResult result;
    auto began = ProgressMeter::Clock::now();
    auto batches = plan.batches(run.state.step);
    std::int64_t first_stream = run.state.step * recipe.batch_size * recipe.accumulation;
    run.optimiser->clear_gradients();
    result.pass = accumulate_gradients(run.context(), run.data.train.examples, batches,
                                       {true, run.state.seed}, first_stream, run.stop);
    if (result.pass.cancelled) return result;
    if (!result.pass.bad_rows.empty()) fail_numeric(run, "loss", result.pass.bad_rows);

    result.gradient_norm = run.optimiser->gradient_norm();
    if (!std::isfinite(result.gradient_norm)) {
        std::vector<std::int64_t> rows;
        for (const auto& batch : batches)
            rows.insert(rows.end(), batch.begin(), batch.end());
        fail_numeric(run, "gradient", rows);
    }
    double factor =
        schedule_factor(recipe.schedule, run.state.step, recipe.warmup_steps, run.state.total_steps);
    result.learning_rate = recipe.learning_rate * factor;
    double clip =
        recipe.max_grad_norm > 0 ? std::min(1.0, recipe.max_grad_norm / (result.gradient_norm + 1e-6)) : 1;
    run.optimiser->step({result.learning_rate, recipe.adam_beta1, recipe.adam_beta2, recipe.adam_epsilon,
                         recipe.weight_decay, clip, run.state.step + 1});
    ++run.state.step;
    run.state.num_tokens += result.pass.tokens;
    result.seconds = ProgressMeter::seconds_since(began);
    return result;
}

/// Writes `folder`/model: the best model where the run stops early, else the one trained last.
void save_result(Sft& run) {
    StagedFolder staged(run.request.folder / "model");
    bool best = run.recipe.patience > 0 && run.state.best_step >= 0 && run.state.best_step != run.state.step;
    if (best) {
        fs::path source = run.checkpoints / std::to_string(run.state.best_step);
        std::string damage = checkpoint_damage(source);
        if (!damage.empty())
            fail(ErrorKind::io,
                 "The best checkpoint in " + source.string() + " cannot be used: " + damage + ".");
        fs::copy(source / "model", staged.path(), fs::copy_options::recursive);
        run.event("log",
                  "The result is the best model, of step " + std::to_string(run.state.best_step) + ".");
    } else {
        run.model.save(staged.path());
    }
    staged.commit();
}

/// Loads model, data and, for a resumed run, the state; returns which rows each step takes.
BatchPlan load(Sft& run, int threads) {
    run.observer.on_progress({"loading", 0, 0, "steps", 0, -1, memory_gib()});
    run.device = select_device(run.recipe.device);
    fs::path checkpoint = resume_folder(run);
    run.model = load_trained_model(run.recipe, checkpoint);
    run.data = load_training_data(run.recipe, run.model, run.observer);
    move_decoder(run.model.decoder, run.device);
    run.rope = make_rope_table(run.model.decoder.config, run.data.longest, run.device);
    run.optimiser = std::make_unique<Optimiser>(run.model.decoder);

    auto rows = static_cast<std::int64_t>(run.data.train.examples.size());
    run.state.seed = static_cast<std::uint64_t>(run.recipe.seed);
    BatchPlan plan(rows, run.recipe.batch_size, run.recipe.accumulation, run.state.seed);
    run.state.rows = rows;
    run.state.total_steps = plan.total_steps(run.recipe.epochs, run.recipe.max_steps);
    run.state.threads = threads;
    take_up(run, checkpoint);
    run.event("log", "Trains " + std::to_string(run.optimiser->parameter_count()) + " of "
                         + std::to_string(run.model.decoder.config.parameter_count()) + " parameters on "
                         + std::to_string(rows) + " rows for " + std::to_string(run.state.total_steps)
                         + " steps, with " + std::to_string(threads) + " threads.");
    return plan;
}

RunOutcome train(const RunRequest& request, RunObserver& observer, const StopToken& stop) {
    SftRecipe recipe = SftRecipe::from(request.recipe);
    int threads = prepare_threads(request.threads);
    Sft run{recipe, request, observer, stop,    request.folder / "checkpoints", {}, {},
            {},     nullptr, {},       at::kCPU};
    BatchPlan plan = load(run, threads);

    const bool evaluates = recipe.eval_steps > 0 && !run.data.validation.examples.empty();
    ProgressMeter meter(run.state.step, run.state.total_steps, run.state.since_log);
    while (run.state.step < run.state.total_steps && !run.state.early_stopped) {
        if (run.cancelled()) return RunOutcome::cancelled;
        StepResult step = take_step(run, plan);
        if (step.pass.cancelled) return RunOutcome::cancelled;
        meter.add_step(step.pass.loss, step.pass.entropy, step.pass.accuracy, step.pass.tokens, step.seconds);

        const bool last = run.state.step == run.state.total_steps;
        if (last || run.state.step % std::max<std::int64_t>(recipe.log_steps, 1) == 0) {
            auto metrics = meter.take_metrics(step.gradient_norm, step.learning_rate, run.state.num_tokens,
                                              plan.epoch_after(run.state.step));
            observer.on_metrics(run.state.step, metrics);
            observer.on_headline("loss", metrics.front().value);
        }
        std::optional<double> eval_loss;
        if (evaluates && (last || run.state.step % recipe.eval_steps == 0)) {
            eval_loss = run_evaluation(run, meter);
            if (!eval_loss) return RunOutcome::cancelled;
        }
        observer.on_progress(meter.progress("training", run.state.step));

        const bool best = eval_loss && run.state.best_step == run.state.step;
        const bool stopping = stop.requested() == StopRequest::stop && !last && !run.state.early_stopped;
        const bool due = recipe.checkpoint_steps > 0 && run.state.step % recipe.checkpoint_steps == 0;
        if (best || stopping || due) {
            observer.on_progress(meter.progress("saving", run.state.step));
            run.state.since_log = meter.since_log();
            save_checkpoint(run, best, eval_loss);
        }
        if (stopping) return RunOutcome::stopped;
    }
    if (run.state.early_stopped)
        run.event("log", "Stopped early: eval_loss did not fall in " + std::to_string(recipe.patience)
                             + " evaluations.");
    observer.on_progress(meter.progress("saving", run.state.step));
    save_result(run);
    observer.on_progress(meter.progress("finished", run.state.step));
    return RunOutcome::finished;
}

} // namespace

RunOutcome run_sft(const RunRequest& request, RunObserver& observer, const StopToken& stop) {
    try {
        return train(request, observer, stop);
    } catch (const c10::Error& error) {
        // Torch reports a failed allocation as a general error with a stack trace.
        if (std::string_view(error.what_without_backtrace()).find("allocate memory")
            == std::string_view::npos)
            throw;
        fail(ErrorKind::internal, "Out of memory while training: lower micro_batch_tokens or batch_size, or "
                                  "choose a smaller model, and resume.");
    }
}

} // namespace tempera
