#pragma once

#include "core/engine/checkpoint/training_state.h"
#include "core/queue/engine.h"
#include "core/recipe/shared_fields.h"
#include "core/stats/health.h"

#include <functional>
#include <memory>

namespace tempera {

/// What the loop of every trainer shares. A trainer is a flat function:
///
///     TrainingRun run = begin_training(request, observer, stop, recipe, recipe);
///     ... load the model from run.resume_from, the data ...
///     run.save_model = [&](const fs::path& folder) { model.save(folder); };
///     take_up(run, trained_parameters(model.decoder), {rows, content_of(data)}, steps, all_parameters);
///     while (goes_on(run)) {
///         if (run.cancelled()) return RunOutcome::cancelled;
///         begin_step(run);
///         ... loss and gradients of step run.state.step ...
///         StepReport report{means, tokens, epoch};
///         apply_step(run, rows, report);
///         if (auto end = close_step(run, report, evaluate)) return *end;
///     }
///     return finish_training(run);
///
/// in guard_memory([&] { ... }).
struct TrainingRun {
    const RunRequest& request;
    RunObserver& observer;
    const StopToken& stop;
    const OptimiserFields optimisation;
    const RunningFields running;
    const int threads;
    const std::filesystem::path checkpoints;
    std::filesystem::path resume_from; ///< the checkpoint to go on from; empty for a run from the beginning
    std::function<void(const std::filesystem::path&)> save_model; ///< writes the model into a folder
    std::function<void(const std::filesystem::path&)> save_more;  ///< what else a checkpoint's folder holds
    /// Makes of what save_model() wrote into a folder the run's result; may be empty.
    std::function<void(const std::filesystem::path&)> complete_model;

    HealthWatch health; ///< of what is logged and evaluated; every rule is told once

    std::unique_ptr<Optimiser> optimiser;
    TrainingState state;
    ProgressMeter meter;
    ProgressMeter::Clock::time_point step_began;

    void event(const std::string& kind, const std::string& message) const {
        observer.on_event({0, 0, state.step, kind, message});
    }
    bool cancelled() const { return stop.requested() == StopRequest::cancel; }
};

/// Prepares threads, clears away what a killed process left, and finds the newest checkpoint that verifies
/// where the request asks to resume.
TrainingRun begin_training(const RunRequest& request, RunObserver& observer, const StopToken& stop,
                           const OptimiserFields& optimisation, const RunningFields& running);

/// What a run learns from. Its order depends on the seed and on `rows`.
struct TrainedOn {
    std::int64_t rows = 0; ///< examples in the training set
    std::string content;   ///< changes with anything that is learnt from or evaluated on
};

/// Makes the optimiser and takes up the checkpoint's state, after checking that data, seed and length are the
/// ones it was made with. `all_parameters` counts the whole model, for the log. Throws Error(bad_input) where
/// they are others.
void take_up(TrainingRun& run, std::vector<Parameter> parameters, const TrainedOn& data,
             std::int64_t total_steps, std::int64_t all_parameters);

/// Whether a step is left to do.
bool goes_on(const TrainingRun& run);

/// Clears the gradients and notes the time.
void begin_step(TrainingRun& run);

/// What a step measured. `means` are its own values of the metrics that are averaged over the steps between
/// two logs, "loss" first; one that is NaN does not count.
struct StepReport {
    std::vector<Metric> means;
    std::int64_t tokens = 0; ///< that went through the model
    double epoch = 0;        ///< epochs done after the step
    double gradient_norm = 0;
    double learning_rate = 0;
    double seconds = 0;
};

/// One optimiser step on the gradients that were added up: clips their global norm to max_grad_norm, takes
/// the schedule's learning rate, applies AdamW, counts the step. `rows` (numbers from 1) are named where the
/// gradient is not finite. Fills in what the report still lacks.
void apply_step(TrainingRun& run, const std::vector<std::int64_t>& rows, StepReport& report);

/// Metrics of an evaluation, first the one that counts: "eval_loss", or one where more is better; nothing
/// where it was cancelled.
using Evaluate = std::function<std::optional<std::vector<Metric>>()>;

/// Reports an evaluation of the model that a run starts from, as step 0's, where the run has evaluations:
/// what later ones are compared with. It is never the best one, for it has no checkpoint. false where it was
/// left, for a cancel or a stop: a resumed run does it anew.
bool evaluate_start(TrainingRun& run, const Evaluate& evaluate);

/// Everything after a step: metrics (at log_steps and the end), evaluation (at eval_steps and the end, where
/// `evaluate` is not empty) with best model and early stopping by eval_loss, progress, checkpoint (at
/// checkpoint_steps, for a better model, on a stop request). Nothing where the loop goes on.
std::optional<RunOutcome> close_step(TrainingRun& run, const StepReport& report, const Evaluate& evaluate);

/// Writes `folder`/model: the best model where patience is set, else the one trained last.
RunOutcome finish_training(TrainingRun& run);

/// Error(numeric): the step is not applied. `what` is "loss" or "gradient"; `rows` are numbers from 1.
[[noreturn]] void fail_numeric(const TrainingRun& run, const std::string& what,
                               const std::vector<std::int64_t>& rows);

/// Calls `train`; Torch's failed allocation becomes an Error that says what to lower.
RunOutcome guard_memory(const std::function<RunOutcome()>& train);

} // namespace tempera
