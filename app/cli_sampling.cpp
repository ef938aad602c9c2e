#include "app/cli.h"
#include "app/cli_jsonl.h"
#include "app/cli_models.h"
#include "app/cli_output.h"
#include "core/base/error.h"
#include "core/queue/engine.h"

#include <memory>

namespace tempera::cli {

namespace {

struct ModelOptions {
    std::string model;
    std::string adapter;
    std::filesystem::path workspace;
    int threads = 0;
};

struct GenerateOptions : ModelOptions {
    SamplingOptions sampling;
};

std::unique_ptr<LoadedModel> load_model(const ModelOptions& options) {
    auto folder = model_folder(options.model, options.workspace);
    std::optional<std::filesystem::path> adapter;
    if (!options.adapter.empty()) adapter = adapter_folder(options.adapter, options.workspace);
    return load_engine().load(folder, adapter, options.threads);
}

NamedText prompt_of(const JsonRow& row) {
    return {row.text({"prompt"}, true), row.place() + ": the prompt"};
}

int score_completions(const ModelOptions& options) {
    auto model = load_model(options);
    for_each_row([&](const JsonRow& row) {
        auto scored = model->logprobs(prompt_of(row), row.text({"completion"}, true));
        write_row({{"sum", scored.sum}, {"token_ids", scored.token_ids}, {"logprobs", scored.logprobs}});
        flush_output();
    });
    return exit_done;
}

/// All prompts are read before the first is sampled: a wrong row is found before the work is done, and the
/// sampler keeps every slot busy.
void generate_all(LoadedModel& model, const SamplingOptions& options, bool& drawn) {
    std::vector<NamedText> prompts;
    for_each_row([&](const JsonRow& row) { prompts.push_back(prompt_of(row)); });
    if (prompts.empty()) return;
    model.generate(prompts, options, [&drawn](const GeneratedSample& sample) {
        drawn = true;
        write_row({{"index", sample.index},
                   {"sample", sample.sample},
                   {"text", sample.text},
                   {"token_ids", sample.token_ids},
                   {"logprob", sample.logprob},
                   {"finish", sample.finish}});
        flush_output();
    });
}

int generate(const GenerateOptions& options) {
    auto model = load_model(options);
    bool drawn = false;
    try {
        generate_all(*model, options.sampling, drawn);
    } catch (const Error& error) {
        if (drawn || error.kind() != ErrorKind::bad_input) throw;
        fail(error.kind(), std::string(error.what()) + " Nothing was drawn.");
    }
    return exit_done;
}

/// CLI::Range lets NaN pass.
CLI::Validator number_within(double low, double high) {
    auto check = [low, high](std::string& text) -> std::string {
        double number = 0;
        if (CLI::detail::lexical_cast(text, number) && number >= low && number <= high) return "";
        return text + " is no number from " + number_words(low) + " to " + number_words(high);
    };
    return {check, "in [" + number_words(low) + " - " + number_words(high) + "]"};
}

/// CLI11 takes -1 for 2^64 - 1.
CLI::Validator whole_number() {
    auto check = [](std::string& text) -> std::string {
        bool fits = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
        return fits ? "" : text + " is no whole number from 0";
    };
    return {check, ""};
}

void add_model_options(CLI::App& verb, ModelOptions& options) {
    verb.add_option("--model", options.model, "Model name, run:ID or folder")->required()->type_name("MODEL");
    verb.add_option("--adapter", options.adapter, "Folder of a PEFT LoRA adapter to put on the model")
        ->type_name("DIR");
    verb.add_option("--threads", options.threads, "Threads to compute with (0 = all cores)")
        ->check(CLI::Range(0, 4096));
    add_workspace_option(verb, options.workspace);
}

void add_sampling_options(CLI::App& verb, SamplingOptions& options) {
    verb.add_option("--n", options.n, "Samples of every prompt (1)")->check(CLI::Range(1, 1'000'000));
    verb.add_option("--temperature", options.temperature, "0 = greedy (1)")->check(number_within(0, 100));
    verb.add_option("--top-p", options.top_p, "Likeliest tokens that hold this probability (1 = off)")
        ->check(number_within(1e-9, 1));
    verb.add_option("--top-k", options.top_k, "The k likeliest tokens (0 = off)")
        ->check(CLI::Range(0, 1'000'000));
    verb.add_option("--min-p", options.min_p,
                    "Leave out tokens less likely than this share of the likeliest (0 = off)")
        ->check(number_within(0, 1));
    verb.add_option("--repetition-penalty", options.repetition_penalty,
                    "Weaken tokens that occurred (1 = off)")
        ->check(number_within(1e-3, 10));
    verb.add_option("--max-tokens", options.max_tokens, "Longest completion (256)")
        ->check(CLI::Range(1, 1 << 20));
    verb.add_option("--seed", options.seed, "Names the random streams (0)")->check(whole_number());
    verb.add_option("--stop", options.stop, "A text that ends a completion; may be given several times")
        ->allow_extra_args(false)
        ->type_name("TEXT");
    verb.add_option("--slots", options.slots, "Sequences computed together (0 = chosen)")
        ->check(CLI::Range(0, 65536));
}

} // namespace

void add_sampling_verbs(CLI::App& app, Action& action) {
    auto score = std::make_shared<ModelOptions>();
    auto* logprobs = app.add_subcommand(
        "logprobs",
        "JSON lines: {\"prompt\",\"completion\"} -> {\"sum\",\"token_ids\",\"logprobs\"} of the completion");
    add_model_options(*logprobs, *score);
    logprobs->callback([score, &action] { action = [score] { return score_completions(*score); }; });

    auto draw = std::make_shared<GenerateOptions>();
    auto* samples = app.add_subcommand(
        "generate", "JSON lines: {\"prompt\"} -> one line a sample, in input order: "
                    "{\"index\",\"sample\",\"text\",\"token_ids\",\"logprob\",\"finish\"}");
    add_model_options(*samples, *draw);
    add_sampling_options(*samples, draw->sampling);
    samples->callback([draw, &action] {
        for (const auto& text : draw->sampling.stop)
            if (text.empty()) throw CLI::ValidationError("--stop", "a stop text must not be empty");
        action = [draw] { return generate(*draw); };
    });
}

} // namespace tempera::cli
