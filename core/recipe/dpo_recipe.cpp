#include "core/recipe/dpo_recipe.h"

#include "core/data/data_files.h"
#include "core/recipe/kind.h"

namespace tempera {

namespace {

void bind_models(DpoRecipe& r, std::vector<Binding>& list) {
    list.push_back(Binding("model", &r.model)
                       .model()
                       .label("Model")
                       .group("Model and data")
                       .simple()
                       .help("The model to start from, best one that was fine-tuned already: \"tiny\", "
                             "\"smollm2-135m-instruct\", run:ID for the result of another run, or a folder "
                             "in Hugging Face layout."));
    list.push_back(Binding("ref_model", &r.ref_model)
                       .model()
                       .label("Reference model")
                       .group("Model and data")
                       .help("The model whose log-probabilities the loss measures from. Empty = the one the "
                             "run starts from, as in the paper."));
    list.push_back(Binding("reference", &r.reference)
                       .choices({"auto", "adapter_off", "model", "precomputed"})
                       .label("Reference from")
                       .group("Model and data")
                       .help("\"adapter_off\" switches the LoRA adapter off, \"model\" keeps a second model "
                             "in memory, \"precomputed\" runs over all pairs first and keeps the numbers. "
                             "\"auto\" takes the first for LoRA, else the last."));
}

void bind_pairs(DpoRecipe& r, std::vector<Binding>& list) {
    list.push_back(Binding("data", &r.data)
                       .data_file({"countdown"})
                       .label("Preferences")
                       .group("Model and data")
                       .simple()
                       .help("A data file or folder (JSON lines, JSON, CSV, Parquet) whose rows hold chosen "
                             "and rejected, and mostly prompt, as texts or lists of messages. "
                             "\"countdown\" makes pairs: a worked solution against that of another "
                             "problem."));
    bind_rows(r, list);
    list.push_back(Binding("prompt_style", &r.prompt_style)
                       .choices({"paper", "short"})
                       .label("Prompt")
                       .group("Model and data")
                       .help("How a made Countdown problem is put to the model: the paper's full prompt, or "
                             "a short one for tiny models."));
    list.push_back(Binding("trace_style", &r.trace_style)
                       .choices({"cognitive", "short"})
                       .label("Solution style")
                       .group("Model and data")
                       .help("Made solutions: \"cognitive\" ones search in words inside <think>, \"short\" "
                             "ones are a few lines, for tiny models."));
    list.push_back(Binding("examples", &r.examples)
                       .range(0, 1e6)
                       .unit("pairs")
                       .label("Training pairs")
                       .group("Model and data")
                       .help("How many pairs are made, or taken from the file at most. 0 = all rows of the "
                             "file."));
    list.push_back(Binding("validation_examples", &r.validation_examples)
                       .range(0, 1e6)
                       .unit("pairs")
                       .label("Validation pairs")
                       .group("Model and data")
                       .help("Pairs kept out of training for the evaluation. They never share a prompt with "
                             "the training pairs."));
    list.push_back(Binding("data_seed", &r.data_seed)
                       .range(0, largest_seed)
                       .label("Data seed")
                       .group("Model and data")
                       .help("Names the draw of made pairs and the split. The same seed gives the same data "
                             "whatever the training seed is."));
    bind_system(r.system, list);
}

void bind_loss(DpoRecipe& r, std::vector<Binding>& list) {
    list.push_back(Binding("loss", &r.loss)
                       .choices({"sigmoid", "hinge", "ipo", "robust"})
                       .label("Loss")
                       .group("Loss")
                       .help("\"sigmoid\" is DPO itself; \"hinge\" stops at a margin of 1; \"ipo\" aims at "
                             "a fixed margin per token; \"robust\" corrects for flipped labels."));
    list.push_back(Binding("beta", &r.beta)
                       .above(0, 100)
                       .label("Beta")
                       .group("Loss")
                       .simple()
                       .help("How strongly the model is held to the reference: larger values move it less. "
                             "The paper uses 0.1."));
    list.push_back(Binding("label_smoothing", &r.label_smoothing)
                       .range(0, 0.49)
                       .label("Label smoothing")
                       .group("Loss")
                       .help("Share of pairs taken to be labelled the wrong way round: conservative DPO with "
                             "loss \"sigmoid\", and what \"robust\" corrects for."));
    list.push_back(Binding("disable_dropout", &r.disable_dropout)
                       .label("No dropout")
                       .group("Loss")
                       .help("Switches LoRA's dropout off, as TRL does: the log-probabilities of policy and "
                             "reference are then of the same network."));
    list.push_back(Binding("max_length", &r.max_length)
                       .range(8, 1 << 20)
                       .unit("tokens")
                       .label("Longest answer")
                       .group("Loss")
                       .help("Prompt and answer together are cut at this many tokens; a pair whose prompt "
                             "fills them is left out."));
}

} // namespace

DpoRecipe::DpoRecipe() {
    learning_rate = 5e-7;
    schedule = "linear";
    warmup_steps = 0;
    epochs = 3;
    batch_size = 2;
    accumulation = 8;
    weight_decay = 0;
}

std::vector<Binding> DpoRecipe::bindings() {
    std::vector<Binding> list;
    bind_models(*this, list);
    bind_pairs(*this, list);
    bind_lora(*this, list);
    bind_loss(*this, list);
    bind_optimiser(*this, list);
    bind_running(*this, list);
    bind_device(*this, list,
                "Precision of the computation; the trained weights are always kept in float32. float32 is "
                "faster on most CPUs.");
    return list;
}

void DpoRecipe::adapt_defaults(const Json& given) {
    adapt_optimiser(*this, given);
    adapt_running(*this, validation_examples, given);
}

std::vector<FieldProblem> DpoRecipe::problems_found() const {
    std::vector<FieldProblem> list;
    check_model(model, list);
    check_rows(*this, data, list);
    if (examples == 0 && !names_data(data) && !names_a_run(data))
        list.push_back({"examples", "examples must be at least 1 where the pairs are made: only a file's "
                                    "rows can be taken all with 0."});
    if (reference == "adapter_off" && !is_lora())
        list.push_back({"reference", "reference \"adapter_off\" needs an adapter: set method to \"lora\", "
                                     "or reference to \"precomputed\" or \"model\"."});
    if (reference == "adapter_off" && !ref_model.empty())
        list.push_back({"reference", "reference \"adapter_off\" is the model itself: leave ref_model empty, "
                                     "or set reference to \"precomputed\" or \"model\"."});
    if (label_smoothing > 0 && (loss == "hinge" || loss == "ipo"))
        list.push_back({"label_smoothing", "label_smoothing goes with loss \"sigmoid\" or \"robust\" only: "
                                           "set it to 0, or change loss."});
    check_running(*this, validation_examples, list);
    check_lora(*this, list);
    check_optimiser(*this, list);
    return list;
}

DpoRecipe DpoRecipe::from(const Json& recipe) {
    return read_recipe<DpoRecipe>("dpo", recipe);
}

Json DpoRecipe::to_json() const {
    return write_recipe("dpo", *this);
}

} // namespace tempera
