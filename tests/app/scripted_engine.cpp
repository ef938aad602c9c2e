// An engine without a model, loaded by tempera-cli through TEMPERA_ENGINE: what the command line does with
// runs that take their time, are stopped, fail and go on is tested in milliseconds. The real engine has tests
// of its own.
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/queue/engine.h"

#include <chrono>
#include <thread>

namespace fs = std::filesystem;

namespace tempera {

namespace {

constexpr auto one_step = std::chrono::milliseconds(20);

/// max_steps steps, each recorded; the file "step" in the run folder is its checkpoint. seed 13 fails at step
/// 3 until the folder holds a file "mended"; seed 14 ignores a stop, so that only a cancel ends it; seed 15
/// takes its last step when the folder holds a file "go".
RunOutcome train(const RunRequest& request, RunObserver& observer, const StopToken& stop) {
    auto steps = request.recipe.at("max_steps").get<std::int64_t>(),
         seed = request.recipe.at("seed").get<std::int64_t>();
    fs::path place = request.folder / "step";
    std::int64_t step = request.resume && fs::exists(place) ? std::stoll(read_file(place, 100)) : 0;
    observer.on_event(
        {0, 0, step, request.resume ? "resumed" : "started", "at step " + std::to_string(step)});
    while (step < steps) {
        if (stop.requested() == StopRequest::cancel) return RunOutcome::cancelled;
        if (stop && seed != 14) {
            write_file_atomic(place, std::to_string(step));
            return RunOutcome::stopped;
        }
        std::this_thread::sleep_for(one_step);
        if (seed == 15 && step + 1 == steps && !fs::exists(request.folder / "go")) continue;
        ++step;
        if (seed == 13 && step == 3 && !fs::exists(request.folder / "mended"))
            fail(ErrorKind::numeric, "The loss became NaN at step 3\n(rows 5, 6): lower the learning rate.");
        std::vector<Metric> metrics = {{"loss", 1.0 / static_cast<double>(step)}};
        observer.on_metrics(step, metrics);
        observer.on_progress(
            {"training", step, steps, "steps", 1234, static_cast<double>(steps - step) * 60, 1.5});
    }
    StagedFolder model(request.folder / "model");
    write_file_atomic(model.path() / "config.json", "{}");
    model.commit();
    observer.on_headline("eval_loss", 0.5);
    return RunOutcome::finished;
}

RunOutcome sweep(const RunRequest& request, RunObserver& observer, const StopToken&) {
    if (!fs::exists(fs::path(request.recipe.at("model").get<std::string>()) / "config.json"))
        fail(ErrorKind::internal, "The sweep was started without its model.");
    std::vector<SweepCell> cells;
    std::vector<SweepRow> rows;
    for (double t : request.recipe.at("temperatures").get<std::vector<double>>()) {
        for (int n = 1; n <= request.recipe.at("n").get<int>(); ++n)
            cells.push_back({t, n, 1 - t / n / 2, 0, 1, 5, 5});
        rows.push_back({t, 1 - t / 2, 1 - t, 1, 10, 0, 50, 50});
    }
    observer.on_sweep(cells, rows);
    observer.on_progress({"sampling", 50, 50, "samples", 10, 0, 1});
    return RunOutcome::finished;
}

/// Says back what it was given.
class EchoModel final : public LoadedModel {
public:
    void generate(std::span<const NamedText> prompts, const SamplingOptions& options,
                  const std::function<void(const GeneratedSample&)>& deliver) override {
        for (std::size_t i = 0; i < prompts.size(); ++i)
            for (int s = 0; s < options.n; ++s) {
                Json said = {{"prompt", prompts[i].text},
                             {"temperature", options.temperature},
                             {"top_p", options.top_p},
                             {"top_k", options.top_k},
                             {"min_p", options.min_p},
                             {"repetition_penalty", options.repetition_penalty},
                             {"max_tokens", options.max_tokens},
                             {"seed", options.seed},
                             {"stop", options.stop}};
                deliver({static_cast<std::int64_t>(i), s, to_json_line(said), {7}, {-0.5f}, -0.5, "eos"});
            }
    }
    CompletionLogprobs logprobs(const NamedText& prompt, const std::string& completion) override {
        return {
            -static_cast<double>(prompt.text.size()), {static_cast<std::int32_t>(completion.size())}, {-1.f}};
    }
};

class ScriptedEngine final : public Engine {
public:
    RunOutcome run(const RunRequest& request, RunObserver& observer, const StopToken& stop) override {
        return request.kind == "sft" ? train(request, observer, stop) : sweep(request, observer, stop);
    }
    std::unique_ptr<LoadedModel> load(const fs::path&, const std::optional<fs::path>&, int) override {
        return std::make_unique<EchoModel>();
    }
    std::unique_ptr<LoadedRewardModel> load_reward(const fs::path&, const std::string&, int) override {
        fail(ErrorKind::unsupported, "The scripted engine scores nothing.");
    }
    void merge(const fs::path& model, const fs::path& adapter, const fs::path& target, const MergeProgress&,
               const StopToken& stop) override {
        StagedFolder folder(target);
        // As slow as a large model, where the adapter's name says so: until someone ends it.
        const bool deaf = adapter.filename() == "deaf"; // to every stop
        while (deaf || adapter.filename() == "endless") {
            if (stop && !deaf) fail(ErrorKind::stopped, "Stopped; nothing was kept of the merge.");
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        write_file_atomic(folder.path() / "merged",
                          model.filename().string() + "+" + adapter.filename().string());
        folder.commit();
    }
};

} // namespace

} // namespace tempera

extern "C" tempera::Engine* tempera_engine_entry() {
    static tempera::ScriptedEngine engine;
    return &engine;
}
