#include "core/data/prompt_set.h"

#include "core/base/error.h"
#include "core/base/suggest.h"
#include "core/data/conversation.h"
#include "core/task/constraints.h"
#include "core/task/countdown.h"
#include "core/task/instruction.h"

namespace tempera {

namespace {

constexpr std::int64_t most_prompts = 1000000;

std::string countdown_facts(const CountdownProblem& problem) {
    return to_json_line({{"nums", problem.nums}, {"target", problem.target}});
}

class Maker {
public:
    explicit Maker(const PromptSetOptions& options) : options_(options) {
        if (options.count < 0 || options.count > most_prompts)
            fail(ErrorKind::bad_input, "The number of prompts must be between 0 and "
                                           + std::to_string(most_prompts) + ", not "
                                           + std::to_string(options.count) + ".");
    }

    std::vector<TaskPrompt> run(SkippedRows* skipped) const {
        if (names_data(options_.data)) return from_file(skipped);
        if (options_.data != "instructions" && options_.data != "countdown")
            fail(ErrorKind::bad_input,
                 "Prompts come from \"instructions\", \"countdown\" or a data file or folder, not from \""
                     + options_.data + "\"." + did_you_mean(options_.data, {"instructions", "countdown"}));
        std::vector<TaskPrompt> prompts;
        const Split split = split_from(options_.split);
        if (options_.data == "instructions") {
            for (auto& row : load_instructions(split, options_.count, options_.data_seed))
                prompts.push_back(asked(std::move(row.prompt), std::move(row.facts)));
            return prompts;
        }
        if (options_.count == 0) fail(ErrorKind::bad_input, "Say how many Countdown problems are wanted.");
        for (const auto& problem : make_problems(split, options_.count, options_.data_seed))
            prompts.push_back(problem_prompt(problem));
        return prompts;
    }

    TaskPrompt read(const JsonRow& row) const {
        for (const char* column : {"prompt", "messages"}) {
            if (!row.has(column)) continue;
            const bool list = row.value[column].is_array();
            TaskPrompt prompt = list ? conversation(row, column) : asked(row.text({column}, false), "");
            prompt.facts = facts_of(row);
            return prompt;
        }
        if (row.has("nums")) return problem_prompt(problem_from(row));
        throw RowError(RowFault::missing,
                       row.place() + " has no \"prompt\", \"messages\", or \"nums\" and \"target\".");
    }

private:
    TaskPrompt problem_prompt(const CountdownProblem& problem) const {
        TaskPrompt prompt;
        prompt.text = format_prompt(problem, prompt_style_from(options_.prompt_style));
        prompt.facts = countdown_facts(problem);
        return prompt;
    }

    TaskPrompt asked(std::string question, std::string facts) const {
        TaskPrompt prompt;
        if (!options_.system.empty()) prompt.messages.push_back({"system", options_.system});
        prompt.messages.push_back({"user", question});
        prompt.text = std::move(question);
        prompt.facts = std::move(facts);
        return prompt;
    }

    TaskPrompt conversation(const JsonRow& row, const char* column) const {
        TaskPrompt prompt;
        prompt.messages = messages_in(row, column);
        if (!prompt.messages.empty() && prompt.messages.back().role == "assistant")
            prompt.messages.pop_back();
        if (prompt.messages.empty() || prompt.messages.back().role != "user")
            throw RowError(
                prompt.messages.empty() ? RowFault::empty : RowFault::wrong_type,
                row.place() + ": \"" + column
                    + "\" must end with a turn of the user, or of the user and the assistant's answer.");
        prompt.text = prompt.messages.back().content;
        if (prompt.messages.size() > 1) prompt.conversation = prompt.messages;
        if (!options_.system.empty() && prompt.messages.front().role != "system")
            prompt.messages.insert(prompt.messages.begin(), {"system", options_.system});
        return prompt;
    }

    std::string facts_of(const JsonRow& row) const {
        if (row.has("constraints")) {
            constraints_from(row.value, row.place());
            return to_json_line({{"constraints", row.value["constraints"]}});
        }
        return row.has("nums") && row.has("target") ? countdown_facts(problem_from(row)) : "";
    }

    std::vector<TaskPrompt> from_file(SkippedRows* skipped) const {
        TaskRows rows(options_.data, DataTask::prompts, options_.columns, options_.split);
        BadRows bad(options_.bad_rows);
        std::vector<TaskPrompt> prompts;
        const auto most = static_cast<std::size_t>(options_.count > 0 ? options_.count : most_prompts);
        while (prompts.size() < most) {
            auto row = rows.next();
            if (!row) break;
            bad.use(*row, [&](const JsonRow& good) {
                prompts.push_back(read(good));
                prompts.back().place = good.place();
            });
        }
        bad.require_some(options_.data);
        if (skipped) *skipped = bad.skipped_of(rows);
        return prompts;
    }

    const PromptSetOptions& options_;
};

} // namespace

std::vector<TaskPrompt> make_prompt_set(const PromptSetOptions& options, SkippedRows* skipped) {
    return Maker(options).run(skipped);
}

TaskPrompt read_prompt(const JsonRow& row, const PromptSetOptions& options) {
    return Maker(options).read(row);
}

std::string name_of(const TaskPrompt& prompt, std::size_t index) {
    return prompt.place.empty() ? "Prompt " + std::to_string(index + 1) : prompt.place;
}

std::string prompt_text(const TaskPrompt& prompt, const ChatTemplate& style) {
    return prompt.messages.empty() ? prompt.text : style.apply(prompt.messages);
}

} // namespace tempera
