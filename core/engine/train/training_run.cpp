#include "core/engine/train/training_run.h"

#include "core/base/counted.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/joined.h"
#include "core/engine/checkpoint/checkpoint.h"
#include "core/engine/train/machine.h"
#include "core/engine/train/schedule.h"
#include "core/store/run_reader.h"

#include <algorithm>
#include <cmath>

namespace fs = std::filesystem;

namespace tempera {

namespace {

void take_up_checkpoint(TrainingRun& run) {
    TrainingState fresh = run.state;
    run.state = load_training_state(*run.optimiser, run.resume_from);
    if (run.state.rows != fresh.rows || run.state.seed != fresh.seed
        || run.state.total_steps != fresh.total_steps)
        fail(ErrorKind::bad_input,
             "The checkpoint in " + run.resume_from.string() + " was made with other data, seed or length ("
                 + std::to_string(run.state.rows) + " rows, " + std::to_string(run.state.total_steps)
                 + " steps) than this run has (" + std::to_string(fresh.rows) + " rows, "
                 + std::to_string(fresh.total_steps) + " steps); start a new run instead of resuming.");
    if (!run.state.data.empty() && run.state.data != fresh.data)
        fail(ErrorKind::bad_input, "The run's data is no longer what its checkpoint in "
                                       + run.resume_from.string()
                                       + " was trained on: rows, or how they are read, have changed. Put the "
                                         "data back as it was and resume again, or start a new run.");
    run.state.data = fresh.data;
    if (run.state.threads != fresh.threads)
        run.event("warning", "The run was started with " + std::to_string(run.state.threads)
                                 + " threads and goes on with " + std::to_string(fresh.threads)
                                 + ": its numbers may differ in the last digits.");
    run.state.threads = fresh.threads;
}

void save_checkpoint(TrainingRun& run, bool best, std::optional<double> eval_loss) {
    run.state.since_log = run.meter.since_log();
    fs::path folder = write_checkpoint(run.checkpoints, run.state.step, [&](const fs::path& target) {
        make_folders(target / "model");
        run.save_model(target / "model");
        if (run.save_more) run.save_more(target);
        save_training_state(run.state, *run.optimiser, target);
    });
    run.observer.on_checkpoint(
        {run.state.step, fs::relative(folder, run.request.folder).string(), eval_loss, best});
    prune_checkpoints(run.checkpoints, run.running.keep_checkpoints, {run.state.best_step});
}

/// Keeps the best loss and counts the evaluations without a better one. A score counts as a negative loss.
void note_evaluation(TrainingRun& run, const Metric& metric) {
    TrainingState& state = run.state;
    const double loss = metric.name == "eval_loss" ? metric.value : -metric.value;
    if (std::isfinite(loss) && (!state.best_eval_loss || loss < *state.best_eval_loss)) {
        state.best_eval_loss = loss;
        state.best_step = state.step;
        state.evaluations_without_gain = 0;
        run.observer.on_headline(metric.name, metric.value);
    } else {
        ++state.evaluations_without_gain;
        state.early_stopped =
            run.running.patience > 0 && state.evaluations_without_gain >= run.running.patience;
    }
}

/// Reports what the health rules see in these metrics, and pauses the run where it asks for that.
void watch_health(TrainingRun& run, std::span<const Metric> metrics) {
    for (const HealthFinding& finding : run.health.add(run.state.step, metrics)) {
        run.event("health", finding.advice);
        if (!run.running.health_pause) continue;
        run.event("warning", "The run pauses at a checkpoint, as health_pause asks; resume it to go on.");
        StopToken(run.stop).request(StopRequest::stop);
    }
}

/// What an earlier session measured, up to the checkpoint that the run goes on from.
void restore_health(TrainingRun& run) {
    const RunReader reader(run.request.folder);
    MetricHistory history;
    for (const std::string& name : reader.metric_names())
        for (const MetricPoint& point : reader.metric(name))
            if (point.step <= run.state.step) history[name].push_back(point);
    run.health.restore(std::move(history));
}

/// Evaluates and reports. Returns the metric that counts; nothing where the run was cancelled.
std::optional<Metric> measure(TrainingRun& run, const Evaluate& evaluate) {
    auto began = ProgressMeter::Clock::now();
    run.observer.on_progress(run.meter.progress("evaluating", run.state.step));
    auto metrics = evaluate();
    if (!metrics) return std::nullopt;
    const Metric first = metrics->front();
    metrics->push_back({"eval_runtime", ProgressMeter::seconds_since(began)});
    run.observer.on_metrics(run.state.step, *metrics);
    watch_health(run, *metrics);
    return first;
}

std::optional<Metric> run_evaluation(TrainingRun& run, const Evaluate& evaluate) {
    auto first = measure(run, evaluate);
    if (first) note_evaluation(run, *first);
    return first;
}

void log_step(TrainingRun& run, const StepReport& report) {
    auto metrics = run.meter.take_metrics(report.gradient_norm, report.learning_rate, run.state.num_tokens,
                                          report.epoch);
    run.observer.on_metrics(run.state.step, metrics);
    run.observer.on_headline(metrics.front().name, metrics.front().value);
    watch_health(run, metrics);
}

} // namespace

TrainingRun begin_training(const RunRequest& request, RunObserver& observer, const StopToken& stop,
                           const OptimiserFields& optimisation, const RunningFields& running) {
    observer.on_progress({"loading", 0, 0, "steps", 0, -1, memory_gib()});
    TrainingRun run{.request = request,
                    .observer = observer,
                    .stop = stop,
                    .optimisation = optimisation,
                    .running = running,
                    .threads = prepare_threads(request.threads),
                    .checkpoints = request.folder / "checkpoints",
                    .resume_from = {},
                    .save_model = {},
                    .save_more = {},
                    .complete_model = {},
                    .health = HealthWatch({.max_grad_norm = optimisation.max_grad_norm}),
                    .optimiser = nullptr,
                    .state = {},
                    .meter = ProgressMeter(0, 0, {}),
                    .step_began = {}};
    sweep_staged(run.checkpoints);
    sweep_staged(request.folder);
    if (!request.resume) return run;
    auto step = newest_checkpoint(run.checkpoints,
                                  [&](const std::string& sentence) { run.event("warning", sentence); });
    if (step) run.resume_from = run.checkpoints / std::to_string(*step);
    return run;
}

void take_up(TrainingRun& run, std::vector<Parameter> parameters, const TrainedOn& data,
             std::int64_t total_steps, std::int64_t all_parameters) {
    run.optimiser = std::make_unique<Optimiser>(std::move(parameters));
    run.state.seed = static_cast<std::uint64_t>(run.running.seed);
    run.state.rows = data.rows;
    run.state.data = data.content;
    run.state.total_steps = total_steps;
    run.state.threads = run.threads;
    if (!run.resume_from.empty()) take_up_checkpoint(run);
    if (run.request.resume) run.event("resumed", "Goes on from step " + std::to_string(run.state.step) + ".");
    if (run.optimisation.warmup_steps >= total_steps && run.optimisation.warmup_steps > 0)
        run.event("warning", "The warm-up of " + std::to_string(run.optimisation.warmup_steps)
                                 + " steps is as long as the whole run (" + std::to_string(total_steps)
                                 + " steps): the learning rate never reaches its peak. Lower warmup_steps.");
    run.event("log", "Trains " + std::to_string(run.optimiser->parameter_count()) + " of "
                         + std::to_string(all_parameters) + " parameters on " + counted(data.rows, "row")
                         + " for " + counted(total_steps, "step") + ", with " + counted(run.threads, "thread")
                         + ".");
    run.meter = ProgressMeter(run.state.step, total_steps, run.state.since_log);
    if (run.state.step > 0) restore_health(run);
}

bool goes_on(const TrainingRun& run) {
    return run.state.step < run.state.total_steps && !run.state.early_stopped;
}

void begin_step(TrainingRun& run) {
    run.step_began = ProgressMeter::Clock::now();
    run.optimiser->clear_gradients();
}

void apply_step(TrainingRun& run, const std::vector<std::int64_t>& rows, StepReport& report) {
    const OptimiserFields& o = run.optimisation;
    report.gradient_norm = run.optimiser->gradient_norm();
    if (!std::isfinite(report.gradient_norm)) fail_numeric(run, "gradient", rows);
    report.learning_rate =
        o.learning_rate * schedule_factor(o.schedule, run.state.step, o.warmup_steps, run.state.total_steps);
    double clip = o.max_grad_norm > 0 ? std::min(1.0, o.max_grad_norm / (report.gradient_norm + 1e-6)) : 1;
    run.optimiser->step({report.learning_rate, o.adam_beta1, o.adam_beta2, o.adam_epsilon, o.weight_decay,
                         clip, run.state.step + 1});
    ++run.state.step;
    run.state.num_tokens += report.tokens;
    report.seconds = ProgressMeter::seconds_since(run.step_began);
}

bool evaluate_start(TrainingRun& run, const Evaluate& evaluate) {
    if (!evaluate || run.running.eval_steps == 0 || run.state.step > 0) return true;
    return measure(run, evaluate).has_value();
}

std::optional<RunOutcome> close_step(TrainingRun& run, const StepReport& report, const Evaluate& evaluate) {
    const TrainingState& state = run.state;
    run.meter.add_step(report.means, report.tokens, report.seconds);
    const bool last = state.step == state.total_steps;
    if (last || state.step % std::max<std::int64_t>(run.running.log_steps, 1) == 0) log_step(run, report);

    std::optional<Metric> evaluation;
    if (evaluate && run.running.eval_steps > 0 && (last || state.step % run.running.eval_steps == 0)) {
        evaluation = run_evaluation(run, evaluate);
        if (!evaluation) return RunOutcome::cancelled;
    }
    run.observer.on_progress(run.meter.progress("training", state.step));

    const bool best = evaluation && state.best_step == state.step;
    const bool stopping = run.stop.requested() == StopRequest::stop && !last && !state.early_stopped;
    const bool due = run.running.checkpoint_steps > 0 && state.step % run.running.checkpoint_steps == 0;
    if (best || stopping || due) {
        run.observer.on_progress(run.meter.progress("saving", state.step));
        std::optional<double> eval_loss;
        if (evaluation && evaluation->name == "eval_loss") eval_loss = evaluation->value;
        save_checkpoint(run, best, eval_loss);
    }
    if (stopping) return RunOutcome::stopped;
    return std::nullopt;
}

RunOutcome finish_training(TrainingRun& run) {
    if (run.state.early_stopped)
        run.event("log", "Stopped early: the evaluation did not get better in "
                             + std::to_string(run.running.patience) + " evaluations.");
    run.observer.on_progress(run.meter.progress("saving", run.state.step));
    StagedFolder staged(run.request.folder / "model");
    if (run.running.patience > 0 && run.state.best_step >= 0 && run.state.best_step != run.state.step) {
        fs::path source = run.checkpoints / std::to_string(run.state.best_step);
        std::string damage = checkpoint_damage(source);
        if (!damage.empty())
            fail(ErrorKind::io,
                 "The best checkpoint in " + source.string() + " cannot be used: " + damage + ".");
        std::error_code error;
        fs::copy(source / "model", staged.path(), fs::copy_options::recursive, error);
        if (error) fail_errno("Cannot copy the best model to", run.request.folder / "model", error.value());
        run.event("log",
                  "The result is the best model, of step " + std::to_string(run.state.best_step) + ".");
    } else {
        run.save_model(staged.path());
    }
    if (run.complete_model) run.complete_model(staged.path());
    staged.commit();
    run.observer.on_progress(run.meter.progress("finished", run.state.step));
    return RunOutcome::finished;
}

void fail_numeric(const TrainingRun& run, const std::string& what, const std::vector<std::int64_t>& rows) {
    auto kept = checkpoint_steps(run.checkpoints);
    fail(ErrorKind::numeric, "The " + what + " is not finite at step " + std::to_string(run.state.step + 1)
                                 + ", in training rows " + joined_first(rows, 20)
                                 + ". The step was not applied; "
                                 + (kept.empty() ? "there is no checkpoint yet"
                                                 : "checkpoint " + std::to_string(kept.back()) + " is kept")
                                 + ". Lower learning_rate or look at these rows.");
}

RunOutcome guard_memory(const std::function<RunOutcome()>& train) {
    try {
        return train();
    } catch (const c10::Error& error) {
        // Torch reports a failed allocation as a general error with a stack trace.
        if (std::string_view(error.what_without_backtrace()).find("allocate memory")
            == std::string_view::npos)
            throw;
        fail(ErrorKind::internal, "Out of memory while training: lower micro_batch_tokens or batch_size, or "
                                  "choose a smaller model.");
    }
}

} // namespace tempera
