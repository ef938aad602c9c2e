#include "core/recipe/sft_recipe.h"

#include "core/data/data_files.h"
#include "core/recipe/kind.h"

namespace tempera {

namespace {

void bind_model(SftRecipe& r, std::vector<Binding>& list) {
    list.push_back(Binding("model", &r.model)
                       .model()
                       .label("Model")
                       .group("Model and data")
                       .simple()
                       .help("The model to start from: \"tiny\", \"smollm2-135m-instruct\", run:ID for the "
                             "result of another run, or a folder in "
                             "Hugging Face layout."));
    list.push_back(Binding("initialise", &r.initialise)
                       .choices({"pretrained", "random"})
                       .label("Weights")
                       .group("Model and data")
                       .help("\"pretrained\" starts from the model's weights; \"random\" takes only its "
                             "shape and tokenizer and draws new weights, "
                             "which is pretraining."));
}

void bind_data(SftRecipe& r, std::vector<Binding>& list) {
    list.push_back(
        Binding("data", &r.data)
            .data_file({"countdown", "arithmetic"})
            .label("Training data")
            .group("Model and data")
            .simple()
            .help("\"countdown\" makes worked Countdown solutions, \"arithmetic\" plain "
                  "calculation steps. Or a data file or folder (JSON lines, JSON, CSV, Parquet) whose "
                  "rows hold prompt and completion, messages, or nums and target."));
    bind_rows(r, list);
    list.push_back(Binding("prompt_style", &r.prompt_style)
                       .choices({"paper", "short"})
                       .label("Prompt")
                       .group("Model and data")
                       .help("How a Countdown problem is put to the model: the paper's full prompt, or a "
                             "short one for tiny models. Sample with "
                             "the same one later."));
    list.push_back(Binding("trace_style", &r.trace_style)
                       .choices({"cognitive", "short"})
                       .label("Solution style")
                       .group("Model and data")
                       .help("\"cognitive\" solutions search, verify and backtrack in words inside <think>; "
                             "\"short\" ones are a few lines, for tiny "
                             "models."));
    list.push_back(
        Binding("examples", &r.examples)
            .range(0, 1e7)
            .unit("examples")
            .label("Training examples")
            .group("Model and data")
            .simple()
            .help("How many examples are made, or taken from the file at most. 0 = all rows of the file."));
    list.push_back(Binding("validation_examples", &r.validation_examples)
                       .range(0, 1e6)
                       .unit("examples")
                       .label("Validation examples")
                       .group("Model and data")
                       .help("Examples kept out of training for the evaluation loss. They never share a "
                             "problem with the training examples."));
    list.push_back(Binding("data_seed", &r.data_seed)
                       .range(0, largest_seed)
                       .label("Data seed")
                       .group("Model and data")
                       .help("Names the draw of made examples and the split. The same seed gives the same "
                             "data whatever the training seed is."));
    bind_system(r.system, list);
    list.push_back(Binding("train_on", &r.train_on)
                       .choices({"completion", "all"})
                       .label("Loss on")
                       .group("Model and data")
                       .help("\"completion\" learns the response only, as the paper does; \"all\" learns the "
                             "prompt's tokens too, for pretraining."));
}

} // namespace

std::vector<Binding> SftRecipe::bindings() {
    std::vector<Binding> list;
    bind_model(*this, list);
    bind_data(*this, list);
    bind_lora(*this, list);
    bind_optimiser(*this, list);
    list.push_back(Binding("max_length", &max_length)
                       .range(8, 1 << 20)
                       .unit("tokens")
                       .label("Longest example")
                       .group("Optimiser")
                       .help("Longer examples are cut at this many tokens, prompt and completion together."));
    bind_running(*this, list);
    bind_device(*this, list,
                "Precision of the computation; the trained weights are always kept in float32. float32 is "
                "faster on most CPUs.");
    return list;
}

void SftRecipe::adapt_defaults(const Json& given) {
    adapt_optimiser(*this, given);
    adapt_running(*this, validation_examples, given);
}

std::vector<FieldProblem> SftRecipe::problems_found() const {
    std::vector<FieldProblem> list;
    check_model(model, list);
    check_rows(*this, data, list);
    if (examples == 0 && !names_data(data) && !names_a_run(data))
        list.push_back({"examples", "examples must be at least 1 where the examples are made: only a file's "
                                    "rows can be taken all with 0."});
    check_running(*this, validation_examples, list);
    check_lora(*this, list);
    if (is_lora() && initialise == "random")
        list.push_back({"method", "method \"lora\" adapts pretrained weights: set initialise to "
                                  "\"pretrained\", or method to \"full\"."});
    check_optimiser(*this, list);
    return list;
}

SftRecipe SftRecipe::from(const Json& recipe) {
    return read_recipe<SftRecipe>("sft", recipe);
}

Json SftRecipe::to_json() const {
    return write_recipe("sft", *this);
}

} // namespace tempera
