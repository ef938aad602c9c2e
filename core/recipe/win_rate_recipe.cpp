#include "core/recipe/win_rate_recipe.h"

#include "core/recipe/kind.h"

namespace tempera {

WinRateRecipe::WinRateRecipe() {
    top_p = 0.9;
    repetition_penalty = 1.1;
}

std::vector<Binding> WinRateRecipe::bindings() {
    std::vector<Binding> list;
    list.push_back(Binding("base", &base)
                       .model_or_endpoint()
                       .label("Base")
                       .group("Model and data")
                       .simple()
                       .help("The model to compare with: a name, a folder in Hugging Face layout, run:ID for "
                             "the result of another run, @STAGE inside a study, or endpoint:NAME/MODEL "
                             "for a server."));
    list.push_back(Binding("tuned", &tuned)
                       .model_or_endpoint()
                       .label("Tuned model")
                       .group("Model and data")
                       .simple()
                       .help("The model whose share of wins is measured; named as the base is."));
    bind_prompts(*this, list, "How many prompts both models answer. The paper uses 200.");
    bind_judge(*this, list, true);
    list.push_back(Binding("temperature", &temperature)
                       .range(0, 100)
                       .label("Temperature")
                       .group("Sampling")
                       .help("Temperature of both models' answers. 0 is greedy. The paper uses 0.2."));
    bind_sampling(*this, list);
    bind_slots(*this, list);
    list.push_back(Binding("bootstrap_resamples", &bootstrap_resamples)
                       .range(100, 1e6)
                       .unit("resamples")
                       .label("Bootstrap")
                       .group("Running")
                       .help("Resamples of the prompts behind the interval of the mean difference."));
    bind_device(*this, list, "Precision of weights and computation. float32 is faster on most CPUs.");
    return list;
}

std::vector<FieldProblem> WinRateRecipe::problems_found() const {
    std::vector<FieldProblem> list;
    check_rows(*this, data, list);
    for (const auto& [name, model] : {std::pair("base", &base), std::pair("tuned", &tuned)})
        if (model->empty())
            list.push_back({name, std::string(name)
                                      + " is empty: name a model or a folder, e.g. "
                                        "smollm2-135m-instruct."});
    check_stop(stop, list);
    check_judge(*this, data, list);
    return list;
}

WinRateRecipe WinRateRecipe::from(const Json& recipe) {
    return read_recipe<WinRateRecipe>("win_rate", recipe);
}

Json WinRateRecipe::to_json() const {
    return write_recipe("win_rate", *this);
}

} // namespace tempera
