#include "core/recipe/reward_recipe.h"

#include "core/recipe/kind.h"

#include <algorithm>

namespace tempera {

namespace {

void bind_model_and_data(RewardRecipe& r, std::vector<Binding>& list) {
    list.push_back(
        Binding("model", &r.model)
            .model()
            .label("Encoder")
            .group("Model and data")
            .simple()
            .help("The encoder to start from: \"minilm-l6\", run:ID for another reward model, or a "
                  "folder with a BERT, DistilBERT or DeBERTa-v2/v3 in Hugging Face layout. A head "
                  "for one score is drawn where it has none."));
    list.push_back(Binding("data", &r.data)
                       .data_file({"countdown"})
                       .label("Preferences")
                       .group("Model and data")
                       .simple()
                       .help("A data file or folder (JSON lines, JSON, CSV, Parquet) whose rows hold chosen "
                             "and rejected answers, for regression with score_chosen and score_rejected, or "
                             "one text or answer with its score. \"countdown\" makes pairs of solutions."));
    bind_rows(r, list);
    list.push_back(
        Binding("examples", &r.examples)
            .range(0, 1e7)
            .unit("pairs")
            .label("Training pairs")
            .group("Model and data")
            .simple()
            .help("How many pairs are made, or taken from the file at most. 0 = all of the file."));
    list.push_back(Binding("validation_examples", &r.validation_examples)
                       .range(0, 1e6)
                       .unit("pairs")
                       .label("Held-out pairs")
                       .group("Model and data")
                       .help("Pairs kept out of training for accuracy, margin and calibration. They never "
                             "share a prompt with the training pairs."));
    list.push_back(Binding("data_seed", &r.data_seed)
                       .range(0, largest_seed)
                       .label("Data seed")
                       .group("Model and data")
                       .help("Names the draw of made pairs and the split. The same seed gives the same data "
                             "whatever the training seed is."));
}

void bind_text(RewardRecipe& r, std::vector<Binding>& list) {
    list.push_back(Binding("text", &r.text)
                       .choices({"plain", "chat", "pair"})
                       .label("Text")
                       .group("Text")
                       .help("What the encoder reads. \"plain\": system, user and assistant as one text, the "
                             "paper's. \"chat\": the model's chat template, ChatML where it has none. "
                             "\"pair\": question and answer as two texts."));
    list.push_back(Binding("system", &r.system)
                       .label("System turn")
                       .group("Text")
                       .help("Stands before conversations that begin without one. Empty = none. Pairs have "
                             "no system turn."));
    list.push_back(Binding("max_length", &r.max_length)
                       .range(8, 1 << 16)
                       .unit("tokens")
                       .label("Longest text")
                       .group("Text")
                       .help("Longer texts are cut at this many tokens."));
    list.push_back(Binding("added_tokens", &r.added_tokens)
                       .label("Added tokens")
                       .group("Text")
                       .help("Special tokens the tokenizer gets, e.g. <|im_start|>,<|im_end|>; the embedding "
                             "gets a row for each, the mean of the others."));
}

void bind_objective(RewardRecipe& r, std::vector<Binding>& list) {
    list.push_back(Binding("objective", &r.objective)
                       .choices({"bradley-terry", "regression"})
                       .label("Objective")
                       .group("Method")
                       .simple()
                       .help("\"bradley-terry\" (Siamese): the chosen answer of a pair shall score higher "
                             "than the rejected one. \"regression\": every answer shall get the score the "
                             "data gives it, by mean squared error."));
    list.push_back(Binding("use_margin", &r.use_margin)
                       .label("Margins")
                       .group("Method")
                       .help("Bradley-Terry asks for a difference above the row's column margin, else its "
                             "score_chosen - score_rejected."));
    list.push_back(Binding("center_rewards", &r.center_rewards)
                       .range(0, 100)
                       .label("Centring")
                       .group("Method")
                       .help("Bradley-Terry adds this times the square of the two scores' sum, which keeps "
                             "scores near zero. 0.01 is customary."));
    list.push_back(Binding("dropout", &r.dropout)
                       .label("Dropout")
                       .group("Method")
                       .help("Whether the dropout that the model's config.json states is used in training."));
}

} // namespace

RewardRecipe::RewardRecipe() {
    learning_rate = 2e-5;
    schedule = "linear";
    warmup_steps = 0;
    micro_batch_tokens = 4096;
}

std::vector<Binding> RewardRecipe::bindings() {
    std::vector<Binding> list;
    bind_model_and_data(*this, list);
    bind_objective(*this, list);
    bind_text(*this, list);
    bind_optimiser(*this, list);
    bind_running(*this, list);
    bind_device(*this, list, "Precision of the computation; reward models are trained in float32.");
    return list;
}

void RewardRecipe::adapt_defaults(const Json& given) {
    adapt_optimiser(*this, given);
    adapt_running(*this, validation_examples, given);
}

std::vector<FieldProblem> RewardRecipe::problems_found() const {
    std::vector<FieldProblem> list;
    check_rows(*this, data, list);
    check_model(model, list);
    if (dtype != "float32")
        list.push_back({"dtype", "dtype must be float32: reward models are trained in no other precision."});
    if (is_regression() && use_margin)
        list.push_back({"use_margin", "use_margin belongs to the objective \"bradley-terry\"; regression "
                                      "has no margin."});
    if (is_regression() && center_rewards > 0)
        list.push_back({"center_rewards", "center_rewards belongs to the objective \"bradley-terry\"; "
                                          "regression learns the scores themselves."});
    if (is_regression() && data == "countdown")
        list.push_back({"data", "The pairs that \"countdown\" makes have no scores: regression needs a "
                                "data file with score_chosen and score_rejected."});
    if (use_margin && data == "countdown")
        list.push_back({"use_margin", "The pairs that \"countdown\" makes have no margin: use_margin needs a "
                                      "data file with margin, or score_chosen and score_rejected."});
    if (std::find(added_tokens.begin(), added_tokens.end(), "") != added_tokens.end())
        list.push_back({"added_tokens", "added_tokens holds an empty token."});
    check_running(*this, validation_examples, list);
    check_optimiser(*this, list);
    return list;
}

RewardRecipe RewardRecipe::from(const Json& recipe) {
    return read_recipe<RewardRecipe>("reward", recipe);
}

Json RewardRecipe::to_json() const {
    return write_recipe("reward", *this);
}

} // namespace tempera
