#include "core/recipe/pairs_recipe.h"

#include "core/recipe/kind.h"

namespace tempera {

PairsRecipe::PairsRecipe() {
    split = "train";
    prompts = 400;
}

std::vector<Binding> PairsRecipe::bindings() {
    std::vector<Binding> list;
    list.push_back(
        Binding("model", &model)
            .model_or_endpoint()
            .label("Model")
            .group("Model and data")
            .simple()
            .help("The model that answers: a name, a folder in Hugging Face layout, run:ID for the "
                  "result of another run, @STAGE inside a study, or endpoint:NAME/MODEL for a server."));
    bind_prompts(*this, list, "How many prompts are answered at most.");
    bind_judge(*this, list, false);
    list.push_back(
        Binding("min_margin", &min_margin)
            .range(0, 1e6)
            .label("Least margin")
            .group("Judge")
            .help("A pair is kept where the best score is above the worst, by this much at least."));
    list.push_back(Binding("min_score", &min_score)
                       .range(-1e6, 1e6)
                       .label("Least best score")
                       .group("Judge")
                       .help("The best answer goes into best.jsonl from this score on; 1 keeps only right "
                             "Countdown answers, -1000000 every prompt's best one."));
    list.push_back(Binding("off_topic", &off_topic)
                       .range(0, 64)
                       .unit("answers")
                       .label("Answers of other prompts")
                       .group("Judge")
                       .help("For reward models: so many answers of other prompts are put beside a prompt's "
                             "best one, and reward.jsonl holds the pairs where the judge scores them "
                             "lower. 0 = none, and no such file."));
    list.push_back(Binding("k", &k)
                       .range(1, 1024)
                       .unit("completions")
                       .label("Completions per prompt")
                       .group("Sampling")
                       .simple()
                       .help("How many answers are drawn to every prompt. Pairs need at least 2."));
    list.push_back(Binding("temperature", &temperature)
                       .range(0, 100)
                       .label("Temperature")
                       .group("Sampling")
                       .help("Temperature of the answers. At 0 all answers of a prompt are equal."));
    bind_sampling(*this, list);
    bind_slots(*this, list);
    bind_device(*this, list, "Precision of weights and computation. float32 is faster on most CPUs.");
    return list;
}

std::vector<FieldProblem> PairsRecipe::problems_found() const {
    std::vector<FieldProblem> list;
    check_rows(*this, data, list);
    check_model(model, list);
    check_stop(stop, list);
    check_judge(*this, data, list);
    if (off_topic > 0 && judge == "remote")
        list.push_back({"off_topic", "off_topic needs a judge on this machine: a remote one would be asked "
                                     "for every such answer. Set it to 0, or change judge."});
    return list;
}

PairsRecipe PairsRecipe::from(const Json& recipe) {
    return read_recipe<PairsRecipe>("pairs", recipe);
}

Json PairsRecipe::to_json() const {
    return write_recipe("pairs", *this);
}

} // namespace tempera
