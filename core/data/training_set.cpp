#include "core/data/training_set.h"

#include "core/base/error.h"
#include "core/base/random.h"
#include "core/base/suggest.h"
#include "core/data/conversation.h"
#include "core/data/jsonl.h"
#include "core/data/split.h"
#include "core/task/arithmetic_text.h"
#include "core/task/countdown.h"
#include "core/task/traces.h"

namespace tempera {

namespace {

constexpr std::uint64_t trace_stream = 0x7472616365000000; // "trace": with the example's number below
constexpr std::int64_t most_examples = 1000000;

/// An example and what must not stand on both sides of the split.
struct Row {
    TextExample example;
    std::uint64_t key = 0;
};

class Maker {
public:
    explicit Maker(const TrainingSetOptions& options)
        : options_(options), prompt_style_(prompt_style_from(options.prompt_style)),
          trace_style_(trace_style_from(options.trace_style)) {
        check_count("examples", options.examples);
        check_count("validation_examples", options.validation_examples);
    }

    TrainingSet run() const {
        if (options_.data == "countdown") return drawn();
        if (options_.data == "arithmetic") return arithmetic();
        if (!options_.data.ends_with(".jsonl"))
            fail(ErrorKind::bad_input,
                 "data must be \"countdown\", \"arithmetic\" or a path that ends in .jsonl, not \""
                     + options_.data + "\"." + did_you_mean(options_.data, {"countdown", "arithmetic"}));
        return from_file();
    }

private:
    static void check_count(const char* name, std::int64_t count) {
        if (count < 0 || count > most_examples)
            fail(ErrorKind::bad_input, std::string(name) + " must be between 0 and "
                                           + std::to_string(most_examples) + ", not " + std::to_string(count)
                                           + ".");
    }

    void check_drawn() const {
        if (options_.examples == 0)
            fail(ErrorKind::bad_input, "examples must be at least 1 for data = \"" + options_.data + "\".");
    }

    TextExample example_of(const CountdownProblem& problem, std::uint64_t number) const {
        RandomStream random(options_.data_seed, trace_stream + number);
        return {format_prompt(problem, prompt_style_), make_trace(problem, trace_style_, random), false};
    }

    TrainingSet drawn() const {
        check_drawn();
        TrainingSet set;
        std::uint64_t number = 0;
        for (const auto& problem : make_problems(Split::train, options_.examples, options_.data_seed))
            set.train.push_back(example_of(problem, number++));
        for (const auto& problem :
             make_problems(Split::validation, options_.validation_examples, options_.data_seed))
            set.validation.push_back(example_of(problem, number++));
        return set;
    }

    TrainingSet arithmetic() const {
        check_drawn();
        TrainingSet set;
        for (std::int64_t i = 0; i < options_.examples + options_.validation_examples; ++i) {
            bool train = i < options_.examples;
            // Validation counts from its own origin: it stays the same when `examples` changes.
            auto number = static_cast<std::uint64_t>(train ? i : most_examples + i - options_.examples);
            RandomStream random(options_.data_seed, trace_stream + number, 1);
            (train ? set.train : set.validation).push_back({"", arithmetic_text(random), false});
        }
        return set;
    }

    /// `messages`, or `prompt` and `completion` that are lists of turns.
    Row read_conversation(const JsonRow& row, ConversationRenderer& renderer) const {
        std::vector<ChatMessage> prompt, answer;
        if (row.has("messages")) {
            prompt = messages_in(row, "messages");
            while (!prompt.empty() && prompt.back().role != "assistant")
                prompt.pop_back();
            if (prompt.empty())
                fail(ErrorKind::bad_input,
                     row.place() + ": \"messages\" has no turn of the assistant to learn.");
            answer = {prompt.back()};
            prompt.pop_back();
        } else {
            prompt = messages_in(row, "prompt");
            answer = messages_in(row, "completion");
            if (answer.empty())
                fail(ErrorKind::bad_input, row.place() + ", column \"completion\": it has no turns.");
        }
        try {
            PromptAndAnswer text = renderer.render(prompt, answer);
            std::uint64_t key = std::hash<std::string>()(text.prompt);
            return {{std::move(text.prompt), std::move(text.answer), text.templated}, key};
        } catch (const Error& error) {
            fail(error.kind(), row.place() + ": " + error.what());
        }
    }

    Row read_row(const JsonRow& row, bool problems, ConversationRenderer& renderer) const {
        if (row.has("messages") || (row.has("prompt") && row.value["prompt"].is_array()))
            return read_conversation(row, renderer);
        if (!problems) {
            TextExample example{row.text({"prompt", "query"}, true), row.text({"completion"}, false), false};
            auto key = std::hash<std::string>()(example.prompt.empty() ? example.completion : example.prompt);
            return {std::move(example), key};
        }
        CountdownProblem problem = problem_from(row);
        try {
            return {example_of(problem, static_cast<std::uint64_t>(row.number)), canonical_hash(problem)};
        } catch (const Error& error) {
            fail(error.kind(), row.place() + ": " + error.what());
        }
    }

    TrainingSet from_file() const {
        JsonlReader reader(options_.data);
        ConversationRenderer renderer(options_.model, options_.system);
        std::vector<Row> rows;
        bool problems = false;
        while (auto row = reader.next()) {
            if (rows.empty()) problems = row->has("nums") && !row->has("completion") && !row->has("messages");
            rows.push_back(read_row(*row, problems, renderer));
            if (rows.size() > static_cast<std::size_t>(most_examples))
                fail(ErrorKind::bad_input,
                     options_.data + " has more than " + std::to_string(most_examples) + " rows.");
        }
        if (rows.empty()) fail(ErrorKind::bad_input, options_.data + " holds no rows.");
        return split(std::move(rows));
    }

    TrainingSet split(std::vector<Row> rows) const {
        std::vector<std::uint64_t> keys;
        for (const Row& row : rows)
            keys.push_back(row.key);
        RowSplit chosen = split_rows(keys, options_.examples, options_.validation_examples,
                                     options_.data_seed, options_.data);
        TrainingSet set;
        for (std::int64_t index : chosen.train)
            set.train.push_back(std::move(rows[static_cast<std::size_t>(index)].example));
        for (std::int64_t index : chosen.validation)
            set.validation.push_back(std::move(rows[static_cast<std::size_t>(index)].example));
        return set;
    }

    const TrainingSetOptions& options_;
    PromptStyle prompt_style_;
    TraceStyle trace_style_;
};

} // namespace

TrainingSet make_training_set(const TrainingSetOptions& options) {
    return Maker(options).run();
}

} // namespace tempera
