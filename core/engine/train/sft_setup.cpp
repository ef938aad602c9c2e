#include "core/engine/train/sft_setup.h"

#include "core/base/content_hash.h"
#include "core/base/error.h"
#include "core/engine/model/decoder_io.h"
#include "core/queue/skipped_rows.h"

#include <algorithm>

namespace fs = std::filesystem;

namespace tempera {

namespace {

void report_losses(const TokenisedSet& set, const char* name, std::int64_t max_length,
                   RunObserver& observer) {
    auto say = [&](std::int64_t count, const std::string& what) {
        if (count > 0)
            observer.on_event({0, 0, -1, "warning", std::to_string(count) + " " + name + " rows " + what});
    };
    say(set.dropped, "were dropped: within max_length (" + std::to_string(max_length)
                         + " tokens) they have no token to learn.");
    say(set.truncated - std::min(set.truncated, set.dropped),
        "were cut to max_length (" + std::to_string(max_length) + " tokens).");
    say(set.merged_boundaries, "have a token that spans the end of the prompt; learning begins with it.");
}

std::int64_t shortened(const TokenisedSet& set) {
    return std::max(set.truncated, set.dropped); // a dropped row is a cut one, mostly
}

std::int64_t longest_of(const TokenisedSet& set) {
    std::int64_t longest = 0;
    for (const TokenExample& example : set.examples)
        longest = std::max(longest, example.length());
    return longest;
}

} // namespace

TrainedModel load_trained_model(const SftRecipe& recipe, const fs::path& checkpoint) {
    auto seed = static_cast<std::uint64_t>(recipe.seed);
    if (recipe.initialise != "random") return load_trained_model(recipe.model, recipe, seed, checkpoint);
    if (recipe.is_lora())
        fail(ErrorKind::bad_input,
             "An adapter cannot stand on random weights, which are stored nowhere; set method to full.");
    TrainedModel model;
    model.tokenizer_folder = base_folder_of(recipe.model);
    model.decoder = checkpoint.empty() ? random_decoder(read_model_config(model.tokenizer_folder), seed)
                                       : load_decoder(checkpoint / "model");
    return model;
}

TrainingData load_training_data(const SftRecipe& recipe, const TrainedModel& model, RunObserver& observer) {
    TrainingSetOptions options;
    options.data = recipe.data;
    options.prompt_style = recipe.prompt_style;
    options.trace_style = recipe.trace_style;
    options.examples = recipe.examples;
    options.validation_examples = recipe.validation_examples;
    options.data_seed = static_cast<std::uint64_t>(recipe.data_seed);
    options.model = model.tokenizer_folder;
    options.system = recipe.system;
    options.columns = recipe.columns;
    options.bad_rows = recipe.bad_rows;
    TrainingSet texts = make_training_set(options);
    report_skipped(texts.skipped, observer);

    Tokenizer tokenizer = load_tokenizer(model);
    const Positions positions{model.decoder.config.max_positions};
    TokeniseOptions tokenise;
    tokenise.eos_id = end_of_text(tokenizer, model.decoder.config);
    tokenise.completion_only = recipe.train_on == "completion";
    tokenise.max_length = positions.within(recipe.max_length);
    if (tokenise.eos_id < 0)
        observer.on_event(
            {0, 0, -1, "warning", "The model names no end-of-text token: it will not learn where to stop."});

    TrainingData data{tokenise_examples(texts.train, tokenizer, tokenise),
                      tokenise_examples(texts.validation, tokenizer, tokenise), 0};
    report_losses(data.train, "training", tokenise.max_length, observer);
    report_losses(data.validation, "validation", tokenise.max_length, observer);
    report_length(shortened(data.train) + shortened(data.validation), recipe.max_length, positions, observer);
    if (data.train.examples.empty())
        fail(ErrorKind::bad_input, "No training row has a token to learn within max_length ("
                                       + std::to_string(tokenise.max_length)
                                       + " tokens); raise max_length or shorten the prompts.");
    data.longest = std::max(longest_of(data.train), longest_of(data.validation));
    return data;
}

std::string content_of(const TrainingData& data) {
    ContentHash hash = ContentHash::sha256();
    for (const TokenisedSet* set : {&data.train, &data.validation}) {
        hash.update("set of " + std::to_string(set->examples.size()) + ";");
        for (const TokenExample& example : set->examples) {
            hash.update_list(example.ids);
            hash.update_list(std::span(&example.label_begin, 1));
        }
    }
    return hash.hex_digest();
}

} // namespace tempera
