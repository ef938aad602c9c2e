#include "core/recipe/synthetic_recipe.h"

#include "core/recipe/kind.h"
#include "core/recipe/shared_fields.h"

namespace tempera {

namespace {

void bind_teacher(SyntheticRecipe& r, std::vector<Binding>& list) {
    list.push_back(Binding("teacher", &r.teacher)
                       .choices({"solver", "endpoint"})
                       .label("Teacher")
                       .group("Teacher")
                       .simple()
                       .help("Who writes problems and solutions: the built-in solver, without a network, or "
                             "a model behind an endpoint, as in the paper."));
    list.push_back(Binding("endpoint", &r.endpoint)
                       .label("Endpoint")
                       .group("Teacher")
                       .simple()
                       .help("Name of a configured endpoint, e.g. openai, that the teacher \"endpoint\" is "
                             "asked at. The key is never part of a recipe."));
    list.push_back(Binding("teacher_model", &r.teacher_model)
                       .label("Teacher's model")
                       .group("Teacher")
                       .simple()
                       .help("Model to ask, e.g. gpt-4o. Empty = the endpoint's own."));
    list.push_back(Binding("temperature", &r.temperature)
                       .range(0, 2)
                       .label("Temperature")
                       .group("Teacher")
                       .help("Of the endpoint's replies. 0 would write like problems again and again."));
    list.push_back(Binding("max_tokens", &r.max_tokens)
                       .range(64, 1 << 17)
                       .unit("tokens")
                       .label("Longest reply")
                       .group("Teacher")
                       .help("A reply is cut after this many tokens; its whole problems still count."));
    list.push_back(Binding("problems_per_request", &r.problems_per_request)
                       .range(1, 50)
                       .unit("problems")
                       .label("Problems per request")
                       .group("Teacher")
                       .help("How many problems an endpoint is asked for at once."));
}

void bind_examples(SyntheticRecipe& r, std::vector<Binding>& list) {
    list.push_back(Binding("examples", &r.examples)
                       .range(1, 1e5)
                       .unit("examples")
                       .label("Examples")
                       .group("Examples")
                       .simple()
                       .help("How many checked, new examples are wanted. The paper has 1600."));
    list.push_back(Binding("most_requests", &r.most_requests)
                       .range(0, 1e6)
                       .unit("requests")
                       .label("Request limit")
                       .group("Examples")
                       .help("Ends after so many requests, however many examples are there. 0 = four times "
                             "as many as would do if every problem were kept."));
    list.push_back(Binding("prompt_style", &r.prompt_style)
                       .choices({"paper", "short"})
                       .label("Prompt")
                       .group("Examples")
                       .simple()
                       .help("How a problem is put to the model that learns from it."));
    list.push_back(Binding("trace_style", &r.trace_style)
                       .choices({"teacher", "cognitive", "short"})
                       .label("Solution")
                       .group("Examples")
                       .help("The teacher's own words, or the problem solved anew by the built-in solver, as "
                             "a search in words or in short steps for tiny models."));
    list.push_back(Binding("seed", &r.seed)
                       .range(0, largest_seed)
                       .label("Seed")
                       .group("Examples")
                       .simple()
                       .help("Names the draw of the numbers that requests suggest, or of the solver's "
                             "problems. Another seed gives other examples."));
}

void bind_known(SyntheticRecipe& r, std::vector<Binding>& list) {
    list.push_back(Binding("train_data", &r.train_data)
                       .data_file({"countdown"})
                       .label("Training data")
                       .group("Known problems")
                       .help("Examples that are to be new against these: \"countdown\" means the problems "
                             "that a run of kind sft draws, else a file with nums and target, or prompts."));
    list.push_back(Binding("train_examples", &r.train_examples)
                       .range(0, 1e6)
                       .unit("problems")
                       .label("Drawn training problems")
                       .group("Known problems")
                       .help("As examples of the sft run, with training data \"countdown\"."));
    list.push_back(Binding("data_seed", &r.data_seed)
                       .range(0, largest_seed)
                       .label("Data seed")
                       .group("Known problems")
                       .help("As data_seed of the sft run, with training data \"countdown\"."));
    list.push_back(Binding("test_data", &r.test_data)
                       .data_file({"countdown"})
                       .label("Held-out data")
                       .group("Known problems")
                       .help("Problems that must not be learnt. \"countdown\" means all that a draw for the "
                             "test and validation splits can bring; they are held out beside a file too."));
}

} // namespace

std::vector<Binding> SyntheticRecipe::bindings() {
    std::vector<Binding> list;
    bind_teacher(*this, list);
    bind_examples(*this, list);
    bind_known(*this, list);
    return list;
}

std::vector<FieldProblem> SyntheticRecipe::problems_found() const {
    std::vector<FieldProblem> list;
    if (asks_endpoint() && endpoint.empty())
        list.push_back({"endpoint", "The teacher \"endpoint\" needs endpoint: name a configured one, e.g. "
                                    "openai."});
    const std::string but = "the teacher is the solver", use = "set teacher to \"endpoint\"";
    check_used("endpoint", endpoint, asks_endpoint(), but, use, list);
    check_used("teacher_model", teacher_model, asks_endpoint(), but, use, list);
    return list;
}

SyntheticRecipe SyntheticRecipe::from(const Json& recipe) {
    return read_recipe<SyntheticRecipe>("synthetic", recipe);
}

Json SyntheticRecipe::to_json() const {
    return write_recipe("synthetic", *this);
}

std::int64_t SyntheticRecipe::request_limit() const {
    if (most_requests > 0) return most_requests;
    const std::int64_t each = asks_endpoint() ? problems_per_request : 1;
    return 4 * ((examples + each - 1) / each);
}

} // namespace tempera
