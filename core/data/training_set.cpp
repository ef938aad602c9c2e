#include "core/data/training_set.h"

#include "core/base/error.h"
#include "core/base/random.h"
#include "core/base/suggest.h"
#include "core/data/conversation.h"
#include "core/data/selection.h"
#include "core/data/sft_row.h"
#include "core/task/arithmetic_text.h"
#include "core/task/countdown.h"
#include "core/task/traces.h"

namespace tempera {

namespace {

constexpr std::uint64_t trace_stream = 0x7472616365000000; // "trace": with the example's number below
constexpr std::int64_t most_examples = 1000000;

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
        if (!names_data(options_.data))
            fail(ErrorKind::bad_input,
                 "data must be \"countdown\", \"arithmetic\" or the path of a data file or folder, not \""
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

    TextExample example_of(const SftRow& row, const JsonRow& place, ConversationRenderer& renderer) const {
        try {
            if (row.problem) return example_of(*row.problem, static_cast<std::uint64_t>(row.row));
            if (row.conversational) {
                PromptAndAnswer text = renderer.render(row.prompt, row.answer);
                return {std::move(text.prompt), std::move(text.answer), text.templated};
            }
            return {row.prompt.empty() ? "" : row.prompt.front().content, row.answer.front().content, false};
        } catch (const Error& error) {
            fail(error.kind(), place.place() + ": " + error.what());
        }
    }

    TrainingSet from_file() const {
        TaskRows rows(options_.data, DataTask::sft, options_.columns);
        ConversationRenderer renderer(options_.model, options_.system);
        std::optional<bool> problems; // what the first row is, all are
        auto read = [&](const JsonRow& row) {
            if (!problems) problems = is_problem_row(row);
            return read_sft_row(row, *problems);
        };
        auto chosen = select_rows<TextExample>(
            rows,
            {options_.examples, options_.validation_examples, options_.data_seed, options_.bad_rows,
             options_.data},
            [&](const JsonRow& row) { return prompt_key(read(row)); },
            [&](const JsonRow& row) { return example_of(read(row), row, renderer); });
        return {std::move(chosen.train), std::move(chosen.validation), std::move(chosen.skipped)};
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
