#include "core/recipe/sweep_recipe.h"

#include "core/net/endpoint.h"
#include "core/recipe/kind.h"

#include <algorithm>

namespace tempera {

namespace {

void bind_model_and_problems(SweepRecipe& r, std::vector<Binding>& list) {
    list.push_back(Binding("model", &r.model)
                       .model_or_endpoint()
                       .label("Model")
                       .group("Model and problems")
                       .simple()
                       .help("The model to sample: \"tiny\", \"smollm2-135m-instruct\", run:ID for the "
                             "result of another run, @STAGE inside a study, a "
                             "folder in Hugging Face layout, or endpoint:NAME/MODEL for a server."));
    list.push_back(Binding("adapter", &r.adapter)
                       .model()
                       .label("Adapter")
                       .group("Model and problems")
                       .help("A folder with a PEFT LoRA adapter to put on the model. Empty = none."));
    list.push_back(
        Binding("data", &r.data)
            .data_file({"countdown"})
            .label("Problems from")
            .group("Model and problems")
            .help("\"countdown\" draws fresh problems; or a data file or folder (JSON lines, JSON, CSV, "
                  "Parquet) whose rows hold nums and target."));
    bind_rows(r, list, "Model and problems");
    list.push_back(Binding("split", &r.split)
                       .choices({"test", "validation", "train"})
                       .label("Split")
                       .group("Model and problems")
                       .help("Which of the three splits of drawn problems; they never share a problem. A "
                             "file's rows are taken as they are."));
    list.push_back(
        Binding("problems", &r.problems)
            .range(1, 1e6)
            .unit("problems")
            .label("Problems")
            .group("Model and problems")
            .simple()
            .help("How many problems are put to the model at every temperature. The paper uses 1000."));
    list.push_back(Binding("data_seed", &r.data_seed)
                       .range(0, largest_seed)
                       .label("Data seed")
                       .group("Model and problems")
                       .help("Names the draw of the problems. Keep the training run's, so that none of its "
                             "problems comes back."));
    list.push_back(Binding("prompt_style", &r.prompt_style)
                       .choices({"paper", "short"})
                       .label("Prompt")
                       .group("Model and problems")
                       .help("How a problem is put to the model. Choose what it was trained with."));
}

void bind_draws(SweepRecipe& r, std::vector<Binding>& list) {
    list.push_back(Binding("temperatures", &r.temperatures)
                       .range(0, 100)
                       .label("Temperatures")
                       .group("Sampling")
                       .simple()
                       .help("The temperatures of the sweep, separated by commas. 0 is greedy: all samples "
                             "of a problem are then equal."));
    list.push_back(Binding("n", &r.n)
                       .range(1, 1024)
                       .unit("samples")
                       .label("Samples per problem")
                       .group("Sampling")
                       .simple()
                       .help("The largest N of best-of-N. Every smaller N is estimated without bias from the "
                             "same samples."));
    bind_sampling(r, list);
}

void bind_sampler(SweepRecipe& r, std::vector<Binding>& list) {
    bind_slots(r, list);
    list.push_back(Binding("bootstrap_resamples", &r.bootstrap_resamples)
                       .range(100, 1e6)
                       .unit("resamples")
                       .label("Bootstrap")
                       .group("Running")
                       .help("Resamples of the problems behind every 95 % interval."));
}

} // namespace

std::vector<Binding> SweepRecipe::bindings() {
    std::vector<Binding> list;
    bind_model_and_problems(*this, list);
    bind_draws(*this, list);
    bind_sampler(*this, list);
    bind_device(*this, list, "Precision of weights and computation. float32 is faster on most CPUs.");
    return list;
}

std::vector<FieldProblem> SweepRecipe::problems_found() const {
    std::vector<FieldProblem> list;
    check_rows(*this, data, list);
    check_model(model, list);
    if (names_an_endpoint(model) && !adapter.empty())
        list.push_back({"adapter", "adapter cannot be put on the model of an endpoint: leave it empty, or "
                                   "let the server load it and name it as the model."});
    if (temperatures.empty())
        list.push_back({"temperatures", "temperatures is empty: name at least one, e.g. 0.3,0.7."});
    auto sorted = temperatures;
    std::sort(sorted.begin(), sorted.end());
    if (auto twice = std::adjacent_find(sorted.begin(), sorted.end()); twice != sorted.end())
        list.push_back(
            {"temperatures", "temperatures names " + Json(*twice).dump() + " twice: leave one out."});
    check_stop(stop, list);
    return list;
}

SweepRecipe SweepRecipe::from(const Json& recipe) {
    return read_recipe<SweepRecipe>("sweep", recipe);
}

Json SweepRecipe::to_json() const {
    return write_recipe("sweep", *this);
}

} // namespace tempera
