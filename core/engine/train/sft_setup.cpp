#include "core/engine/train/sft_setup.h"

#include "core/base/error.h"
#include "core/engine/lora/adapter_io.h"
#include "core/engine/model/decoder_io.h"

#include <algorithm>

namespace fs = std::filesystem;

namespace tempera {

namespace {

LoraConfig lora_config_of(const SftRecipe& recipe) {
    LoraConfig config;
    config.r = recipe.lora_r;
    config.alpha = recipe.lora_alpha;
    config.dropout = recipe.lora_dropout;
    config.targets = recipe.lora_targets;
    config.base_model = recipe.model;
    return config;
}

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

std::int64_t longest_of(const TokenisedSet& set) {
    std::int64_t longest = 0;
    for (const TokenExample& example : set.examples)
        longest = std::max(longest, example.length());
    return longest;
}

} // namespace

void TrainedModel::save(const fs::path& folder) const {
    if (adapter) {
        save_adapter(decoder, *adapter, folder);
        return;
    }
    save_decoder(decoder, folder);
    copy_tokenizer_files(tokenizer_folder, folder);
}

TrainedModel load_trained_model(const SftRecipe& recipe, const fs::path& checkpoint) {
    TrainedModel model;
    model.tokenizer_folder = base_folder_of(recipe.model);
    bool fresh = recipe.initialise == "random";
    if (fresh && recipe.is_lora())
        fail(ErrorKind::bad_input,
             "An adapter cannot stand on random weights, which are stored nowhere; set method to full.");
    if (recipe.is_lora()) {
        model.decoder = load_decoder(recipe.model);
        if (checkpoint.empty()) {
            model.adapter = lora_config_of(recipe);
            attach_lora(model.decoder, *model.adapter, static_cast<std::uint64_t>(recipe.seed));
        } else {
            model.adapter = load_adapter(model.decoder, checkpoint / "model");
        }
    } else if (!checkpoint.empty()) {
        model.decoder = load_decoder(checkpoint / "model");
    } else if (fresh) {
        model.decoder = random_decoder(read_model_config(model.tokenizer_folder),
                                       static_cast<std::uint64_t>(recipe.seed));
    } else {
        model.decoder = load_decoder(recipe.model);
    }
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
    TrainingSet texts = make_training_set(options);

    Tokenizer tokenizer = Tokenizer::load(model.tokenizer_folder);
    const ModelConfig& config = model.decoder.config;
    if (tokenizer.id_limit() > config.vocab_size)
        fail(ErrorKind::bad_input, "The tokenizer in " + model.tokenizer_folder.string() + " has ids up to "
                                       + std::to_string(tokenizer.id_limit() - 1)
                                       + ", but the model embeds only " + std::to_string(config.vocab_size)
                                       + " tokens; the files do not belong together.");
    TokeniseOptions tokenise;
    tokenise.eos_id = tokenizer.eos_id().value_or(
        config.eos_ids.empty() ? -1 : static_cast<std::int32_t>(config.eos_ids.front()));
    tokenise.completion_only = recipe.train_on == "completion";
    tokenise.max_length = recipe.max_length;
    if (tokenise.eos_id < 0)
        observer.on_event(
            {0, 0, -1, "warning", "The model names no end-of-text token: it will not learn where to stop."});

    TrainingData data{tokenise_examples(texts.train, tokenizer, tokenise),
                      tokenise_examples(texts.validation, tokenizer, tokenise), 0};
    report_losses(data.train, "training", recipe.max_length, observer);
    report_losses(data.validation, "validation", recipe.max_length, observer);
    if (data.train.examples.empty())
        fail(ErrorKind::bad_input, "No training row has a token to learn within max_length ("
                                       + std::to_string(recipe.max_length)
                                       + " tokens); raise max_length or shorten the prompts.");
    data.longest = std::max(longest_of(data.train), longest_of(data.validation));
    return data;
}

} // namespace tempera
