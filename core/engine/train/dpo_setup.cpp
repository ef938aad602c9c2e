#include "core/engine/train/dpo_setup.h"

#include "core/base/error.h"
#include "core/engine/model/decoder_io.h"
#include "core/engine/train/machine.h"
#include "core/queue/skipped_rows.h"

#include <algorithm>
#include <numeric>

namespace tempera {

namespace {

TokenisedPairs tokenise(const std::vector<PreferenceRow>& rows, ConversationRenderer& renderer,
                        const Tokenizer& tokenizer, const PairTokeniseOptions& options) {
    std::vector<PreferencePair> pairs;
    for (const PreferenceRow& row : rows)
        pairs.push_back(render_preference(row, renderer));
    return tokenise_pairs(pairs, tokenizer, options);
}

void report_losses(const TokenisedPairs& set, const char* name, std::int64_t max_length,
                   RunObserver& observer) {
    auto say = [&](std::int64_t count, const std::string& what) {
        if (count > 0)
            observer.on_event({0, 0, -1, "warning", std::to_string(count) + " " + name + " pairs " + what});
    };
    say(set.dropped, "were dropped: within max_length (" + std::to_string(max_length)
                         + " tokens) an answer has no token to learn.");
    say(set.truncated, "have an answer that was cut to max_length (" + std::to_string(max_length)
                           + " tokens with its prompt).");
    say(set.merged_boundaries, "have a token that spans the end of the prompt; the answers begin with it.");
}

std::int64_t shortened(const TokenisedPairs& set) {
    return set.truncated + set.dropped;
}

void report_same_answers(const std::vector<PreferenceRow>& rows, const char* name, RunObserver& observer) {
    const auto count = std::count_if(rows.begin(), rows.end(), has_same_answers);
    if (count > 0)
        observer.on_event(
            {0, 0, -1, "warning",
             std::to_string(count) + " " + name
                 + " pairs have one answer as chosen and rejected: nothing can be learned from them."});
}

std::vector<std::int64_t> all_of(const TokenisedPairs& set) {
    std::vector<std::int64_t> rows(set.examples.size());
    std::iota(rows.begin(), rows.end(), std::int64_t{0});
    return rows;
}

/// The policy's, or those of a reference model of its own that has fewer.
Positions positions_of(const DpoRecipe& recipe, const TrainedModel& policy) {
    const Positions own{policy.decoder.config.max_positions};
    if (recipe.ref_model.empty()) return own;
    const ModelConfig reference = read_model_config(base_folder_of(recipe.ref_model));
    return reference.max_positions < own.count ? Positions{reference.max_positions, "The reference model"}
                                               : own;
}

/// A frozen model that is loaded for the reference alone.
Decoder load_reference_model(const DpoRecipe& recipe, const PassContext& context) {
    Decoder decoder = load_decoder(recipe.ref_model.empty() ? recipe.model : recipe.ref_model);
    if (decoder.config.vocab_size != context.model.config.vocab_size)
        fail(ErrorKind::bad_input, "The reference model in " + recipe.ref_model + " has "
                                       + std::to_string(decoder.config.vocab_size)
                                       + " tokens in its vocabulary, the trained model "
                                       + std::to_string(context.model.config.vocab_size)
                                       + ": choose two models with the same tokenizer.");
    move_decoder(decoder, context.device);
    return decoder;
}

bool knows(const ReferenceLogprobs& reference, const std::vector<std::int64_t>& rows) {
    return std::all_of(rows.begin(), rows.end(),
                       [&](std::int64_t row) { return reference.known[static_cast<std::size_t>(row)]; });
}

/// Fills both lists, from an earlier run's numbers where there are any; false where it was cancelled.
bool precompute(Reference& reference, const DpoRecipe& recipe, const TrainedModel& policy,
                const PassContext& context, const PairData& data, const std::vector<std::int64_t>& rows,
                const TrainingRun& run) {
    const std::filesystem::path folder = recipe.ref_model.empty() ? recipe.model : recipe.ref_model;
    struct Part {
        ReferenceLogprobs& reference;
        const std::vector<PairExample>& examples;
        std::vector<std::int64_t> rows;
    };
    for (const Part& part : {Part{reference.train, data.train.examples, rows},
                             Part{reference.validation, data.validation.examples, all_of(data.validation)}}) {
        if (part.rows.empty()) continue;
        std::string key = reference_key(folder, part.examples, recipe.dtype);
        part.reference = load_reference(key, part.examples.size());
        if (knows(part.reference, part.rows)) {
            run.event("log", "The reference log-probabilities of " + std::to_string(part.rows.size())
                                 + " pairs are those of an earlier run with the same model and data.");
            continue;
        }
        if (!reference.decoder) {
            // Before the first step the model itself is the reference.
            bool itself = recipe.ref_model.empty() && run.state.step == 0 && run.resume_from.empty();
            reference.decoder =
                itself ? without_adapters(policy.decoder) : load_reference_model(recipe, context);
            reference.rope = make_rope_table(reference.decoder->config, data.longest(), context.device);
        }
        PassContext pass{*reference.decoder, reference.rope, context.device, context.compute_type,
                         context.micro_batch_tokens};
        auto report = [&](std::int64_t done, std::int64_t of) {
            run.observer.on_progress({"reference", done, of, "pairs", 0, -1, memory_gib()});
        };
        if (!fill_reference(part.reference, pass, part.examples, part.rows, run.stop, report)) return false;
        try {
            store_reference(key, part.reference);
        } catch (const Error& error) { // only the next run misses them
            run.event("warning",
                      std::string("The reference log-probabilities were not kept: ") + error.what());
        }
    }
    reference.decoder.reset();
    return true;
}

} // namespace

PairData load_pairs(const DpoRecipe& recipe, const TrainedModel& model, RunObserver& observer) {
    PreferenceOptions options;
    options.data = recipe.data;
    options.prompt_style = recipe.prompt_style;
    options.trace_style = recipe.trace_style;
    options.examples = recipe.examples;
    options.validation_examples = recipe.validation_examples;
    options.data_seed = static_cast<std::uint64_t>(recipe.data_seed);
    options.columns = recipe.columns;
    options.bad_rows = recipe.bad_rows;
    PreferenceSet rows = make_preference_set(options);
    report_skipped(rows.skipped, observer);
    report_same_answers(rows.train, "training", observer);
    report_same_answers(rows.validation, "validation", observer);

    Tokenizer tokenizer = load_tokenizer(model);
    const Positions positions = positions_of(recipe, model);
    const std::int64_t max_length = positions.within(recipe.max_length);
    PairTokeniseOptions tokens{end_of_text(tokenizer, model.decoder.config), max_length};
    if (tokens.eos_id < 0)
        observer.on_event(
            {0, 0, -1, "warning", "The model names no end-of-text token: it will not learn where to stop."});
    ConversationRenderer renderer(model.tokenizer_folder, recipe.system);
    PairData data{tokenise(rows.train, renderer, tokenizer, tokens),
                  tokenise(rows.validation, renderer, tokenizer, tokens)};
    report_losses(data.train, "training", max_length, observer);
    report_losses(data.validation, "validation", max_length, observer);
    report_length(shortened(data.train) + shortened(data.validation), recipe.max_length, positions, observer);
    if (data.train.examples.empty())
        fail(ErrorKind::bad_input, "No training pair has a token to learn within max_length ("
                                       + std::to_string(max_length)
                                       + " tokens); raise max_length or shorten the prompts.");
    return data;
}

std::string content_of(const PairData& data) {
    ContentHash hash = ContentHash::sha256();
    for (const TokenisedPairs* set : {&data.train, &data.validation}) {
        hash.update("set of " + std::to_string(set->examples.size()) + ";");
        add_to(hash, set->examples);
    }
    return hash.hex_digest();
}

std::optional<Reference> prepare_reference(const DpoRecipe& recipe, const TrainedModel& policy,
                                           const PassContext& context, const PairData& data,
                                           const std::vector<std::int64_t>& rows, const TrainingRun& run) {
    Reference reference{ReferenceLogprobs(data.train.examples.size()),
                        ReferenceLogprobs(data.validation.examples.size()),
                        {},
                        {}};
    std::string how = recipe.reference;
    if (how == "auto") how = recipe.is_lora() && recipe.ref_model.empty() ? "adapter_off" : "precomputed";
    if (how == "precomputed") {
        if (!precompute(reference, recipe, policy, context, data, rows, run)) return std::nullopt;
        return reference;
    }
    reference.decoder =
        how == "adapter_off" ? without_adapters(policy.decoder) : load_reference_model(recipe, context);
    reference.rope = make_rope_table(reference.decoder->config, data.longest(), context.device);
    return reference;
}

} // namespace tempera
