#include "app/cli.h"
#include "app/cli_comparison.h"
#include "app/cli_models.h"
#include "app/cli_output.h"
#include "app/cli_progress.h"
#include "app/cli_signals.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/data/data_files.h"
#include "core/queue/engine.h"
#include "core/recipe/win_rate_recipe.h"
#include "core/store/record_json.h"

#include <algorithm>
#include <memory>
#include <unistd.h>

namespace fs = std::filesystem;

namespace tempera::cli {

namespace {

struct CompareOptions {
    std::string a, b, judge = "constraints", prompts;
    WinRateRecipe recipe;
    fs::path workspace, target;
    int threads = 0;
    bool json = false, quiet = false;
};

/// Keeps the comparisons, shows progress, and passes a signal on.
class Listener final : public RunObserver {
public:
    Listener(bool quiet, StopToken stop) : printer_(quiet), stop_(stop) {}

    void on_progress(const Progress& progress) override {
        RunRecord record;
        record.id = record.name = "compare";
        record.progress = progress;
        printer_.show(record);
        if (SignalCounter::seen() > 0) stop_.request(StopRequest::cancel);
    }
    void on_event(const RunEvent& event) override { printer_.line(event.message); }
    void on_comparisons(std::span<const Comparison> batch) override {
        comparisons.insert(comparisons.end(), batch.begin(), batch.end());
    }
    void on_metrics(std::int64_t, std::span<const Metric>) override {}
    void on_prompts(std::span<const PromptRecord>) override {}
    void on_samples(std::span<const Sample>) override {}
    void on_sweep(std::span<const SweepCell>, std::span<const SweepRow>) override {}
    void on_checkpoint(const CheckpointRecord&) override {}
    void on_headline(const std::string&, double) override {}

    std::vector<Comparison> comparisons;

private:
    ProgressPrinter printer_;
    StopToken stop_;
};

/// remote:ENDPOINT or remote:ENDPOINT/MODEL.
void choose_remote_judge(const std::string& whom, WinRateRecipe& recipe) {
    if (!recipe.judge_endpoint.empty())
        throw UsageError("Name the judge's endpoint once: with --judge remote:ENDPOINT, or with --judge "
                         "remote and --judge-endpoint.");
    const auto slash = whom.find('/');
    recipe.judge = "remote";
    recipe.judge_endpoint = whom.substr(0, slash);
    if (slash != std::string::npos) recipe.judge_model = whom.substr(slash + 1);
}

/// --judge as the recipe's fields; every other name is for the recipe to refuse.
void choose_judge(CompareOptions& options) {
    WinRateRecipe& recipe = options.recipe;
    recipe.judge = options.judge;
    std::error_code ignored;
    const bool names_model =
        options.judge.starts_with("run:")
        || (options.judge.find('/') != std::string::npos && fs::is_directory(options.judge, ignored));
    if (options.judge.starts_with("reward:") || names_model) {
        recipe.judge = "reward_model";
        recipe.reward_model =
            model_folder(names_model ? options.judge : options.judge.substr(7), options.workspace);
    } else if (options.judge.starts_with("remote:")) {
        choose_remote_judge(options.judge.substr(7), recipe);
    } else if (options.judge == "reward" || options.judge == "reward_model") {
        throw UsageError("Name the reward model: --judge reward:MODEL, a folder or run:ID.");
    } else if (options.judge == "remote" && recipe.judge_endpoint.empty()) {
        throw UsageError("Name the judge's endpoint: --judge remote:ENDPOINT.");
    }
    if (recipe.judge != "remote" && (!recipe.judge_endpoint.empty() || !recipe.judge_model.empty()))
        throw UsageError("--judge-endpoint and --judge-model go with --judge remote, not with \""
                         + options.judge + "\".");
}

Json recipe_of(CompareOptions& options) {
    WinRateRecipe& recipe = options.recipe;
    choose_judge(options);
    for (const auto& [given, field] :
         {std::pair(&options.a, &recipe.base), std::pair(&options.b, &recipe.tuned)}) {
        if (names_an_endpoint(*given)) as_usage([&] { referred_endpoint(*given); });
        *field = names_an_endpoint(*given) ? *given : model_folder(*given, options.workspace).string();
    }
    if (!options.prompts.empty()) {
        recipe.data = options.prompts;
        if (names_data(options.prompts)) {
            recipe.data = fs::absolute(options.prompts).lexically_normal();
            if (!fs::exists(data_path_of(recipe.data).path))
                throw UsageError("There is no file of prompts " + recipe.data + ".");
        }
    } else if (options.judge == "countdown") {
        recipe.data = "countdown";
    }
    return as_usage([&] { return complete_recipe(recipe.to_json()); });
}

void write_json(const std::vector<Comparison>& comparisons) {
    Json rows = Json::array();
    for (const Comparison& comparison : comparisons)
        rows.push_back(tempera::to_json(comparison));
    Json json = to_json(compared(comparisons));
    json["comparisons"] = rows;
    write_output(json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

/// Found out now, and not after all replies are drawn.
void require_writable(const fs::path& folder) {
    if (folder.empty()) return;
    make_folders(folder);
    StagedFile probe(folder / "a.json");
}

int compare(CompareOptions options) {
    const Json recipe = recipe_of(options);
    require_writable(options.target);
    const TemporaryFolder folder(fs::temp_directory_path() / "tempera-compare-");
    SignalCounter signals;
    StopToken stop;
    Listener listener(options.quiet, stop);
    const RunOutcome outcome =
        load_engine().run({"win_rate", recipe, folder.path(), false, options.threads}, listener, stop);
    if (outcome != RunOutcome::finished) {
        write_error("tempera-cli: The comparison was stopped.\n");
        return 128 + (SignalCounter::last() ? SignalCounter::last() : SIGINT);
    }
    std::sort(listener.comparisons.begin(), listener.comparisons.end(),
              [](const auto& x, const auto& y) { return x.prompt_index < y.prompt_index; });
    if (!options.target.empty()) {
        for (auto [from, to] : {std::pair("base.json", "a.json"), std::pair("tuned.json", "b.json")})
            write_file_atomic(options.target / to, read_file(folder.path() / "artifacts" / from, 1u << 30));
    }
    if (options.json)
        write_json(listener.comparisons);
    else
        write_output(comparison_table(listener.comparisons, terminal_columns(STDOUT_FILENO)));
    return exit_done;
}

void add_answer_options(CLI::App& verb, CompareOptions& options) {
    WinRateRecipe& r = options.recipe;
    verb.add_option("--prompts", options.prompts,
                    "\"instructions\", \"countdown\" or a data file with prompt or messages (by the judge)")
        ->type_name("FILE");
    verb.add_option("--n", r.prompts, "How many prompts at most (200)")->check(CLI::Range(1, 1'000'000));
    verb.add_option("--judge-endpoint", r.judge_endpoint, "With --judge remote: a configured endpoint")
        ->type_name("NAME");
    verb.add_option("--judge-model", r.judge_model, "Its model (the endpoint's)")->type_name("NAME");
    verb.add_option("--judge-style", r.judge_style,
                    "nemotron, rubric-score or rubric-pair, in both orders (nemotron)");
    verb.add_option("--split", r.split, "Of the project's own prompts: test, validation or train (test)");
    verb.add_option("--prompt-style", r.prompt_style, "Of Countdown problems: paper or short (paper)");
    verb.add_option("--system", r.system, "System turn (You are a helpful assistant.)")->type_name("TEXT");
    verb.add_option("--chat-template", r.chat_template, "model, chatml, llama-3, gemma or plain (model)");
    verb.add_option("--temperature", r.temperature, "0 = greedy (0.2)");
    verb.add_option("--top-p", r.top_p, "Likeliest tokens that hold this probability (0.9)");
    verb.add_option("--repetition-penalty", r.repetition_penalty, "Weaken tokens that occurred (1.1)");
    verb.add_option("--max-tokens", r.max_tokens, "Longest reply (512)");
    verb.add_option("--seed", r.seed, "Names the random streams (0)");
    verb.add_option("--stop", r.stop, "A text that ends a reply; may be given several times")
        ->allow_extra_args(false)
        ->type_name("TEXT");
}

} // namespace

void add_compare_verb(CLI::App& app, Action& action) {
    auto options = std::make_shared<CompareOptions>();
    auto* verb = app.add_subcommand(
        "compare", "Lets two models answer the same prompts and says how often B's reply is judged better");
    verb->add_option("--a", options->a, "Model name, run:ID, folder or endpoint:NAME/MODEL: the base")
        ->required()
        ->type_name("MODEL");
    verb->add_option("--b", options->b, "The one that should be better")->required()->type_name("MODEL");
    verb->add_option("--judge", options->judge,
                     "constraints; countdown; reward:MODEL, run:ID or a folder for a reward model; "
                     "remote:ENDPOINT[/MODEL] for one behind an endpoint (constraints)");
    add_answer_options(*verb, *options);
    verb->add_option("--out", options->target, "Write a.json and b.json, lists of {prompt, reply, score}")
        ->type_name("DIR");
    verb->add_option("--threads", options->threads, "Threads to compute with (0 = all cores)")
        ->check(CLI::Range(0, 4096));
    verb->add_flag("--json", options->json, "As JSON, with every reply");
    verb->add_flag("--quiet", options->quiet, "No progress");
    add_workspace_option(*verb, options->workspace);
    verb->callback([options, &action] { action = [options] { return compare(*options); }; });
}

} // namespace tempera::cli
