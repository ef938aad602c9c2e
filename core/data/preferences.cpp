#include "core/data/preferences.h"

#include "core/base/error.h"
#include "core/base/suggest.h"
#include "core/data/selection.h"
#include "core/data/sft_row.h"
#include "core/data/training_set.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace tempera {

namespace {

bool same(const ChatMessage& a, const ChatMessage& b) {
    return a.role == b.role && a.content == b.content;
}

std::optional<double> number_in(const JsonRow& row, const char* column) {
    auto found = row.value.find(column);
    if (found == row.value.end() || found->is_null()) return std::nullopt;
    if (!found->is_number() || !std::isfinite(found->get<double>()))
        throw RowError(RowFault::wrong_type,
                       row.place() + ", column \"" + column + "\": a number is expected.");
    return found->get<double>();
}

/// The turns that both lists begin with; the last of the shorter list is always the answer's.
std::size_t common_turns(const PreferenceRow& pair) {
    std::size_t most = std::min(pair.chosen.size(), pair.rejected.size()), count = 0;
    while (count + 1 < most && same(pair.chosen[count], pair.rejected[count]))
        ++count;
    return count;
}

void read_conversations(const JsonRow& row, PreferenceRow& pair) {
    pair.conversational = true;
    pair.chosen = messages_in(row, "chosen");
    pair.rejected = messages_in(row, "rejected");
    for (const char* column : {"chosen", "rejected"})
        if ((column[0] == 'c' ? pair.chosen : pair.rejected).empty())
            throw RowError(RowFault::empty, row.place() + ", column \"" + column + "\": it has no turns.");
    bool answers_only = pair.chosen.front().role == "assistant" && pair.rejected.front().role == "assistant";
    if (answers_only && row.has("prompt")) {
        if (row.value["prompt"].is_array())
            pair.prompt = messages_in(row, "prompt");
        else
            pair.prompt = {{"user", row.text({"prompt"}, false)}};
    } else {
        auto shared = static_cast<std::ptrdiff_t>(common_turns(pair));
        pair.prompt.assign(pair.chosen.begin(), pair.chosen.begin() + shared);
        pair.chosen.erase(pair.chosen.begin(), pair.chosen.begin() + shared);
        pair.rejected.erase(pair.rejected.begin(), pair.rejected.begin() + shared);
    }
    for (const char* column : {"chosen", "rejected"}) {
        const ChatMessage& last = (column[0] == 'c' ? pair.chosen : pair.rejected).back();
        if (last.role != "assistant")
            throw RowError(RowFault::wrong_type, row.place() + ", column \"" + column
                                                     + "\": the last turn must be the assistant's answer.");
        if (last.content.empty())
            throw RowError(RowFault::empty,
                           row.place() + ", column \"" + column + "\": the answer is empty.");
    }
    if (pair.prompt.empty())
        throw RowError(
            RowFault::missing,
            row.place()
                + (row.has("prompt")
                       ? " has answers that do not fit together: \"chosen\" and \"rejected\" begin with "
                         "different turns. Either both begin with the same turns, or with the "
                         "assistant's, behind those of \"prompt\"."
                       : " has no prompt: \"chosen\" and \"rejected\" begin with different turns, and "
                         "there is no column \"prompt\"."));
}

void read_texts(const JsonRow& row, PreferenceRow& pair) {
    std::string prompt, chosen = row.text({"chosen"}, false), rejected = row.text({"rejected"}, false);
    if (row.has("prompt") || row.has("question")) {
        prompt = row.text({"prompt", "question"}, true);
    } else {
        std::size_t shared = common_prefix(chosen, rejected);
        if (shared == std::min(chosen.size(), rejected.size()) && shared > 0)
            shared = common_prefix(std::string_view(chosen).substr(0, shared),
                                   std::string_view(rejected).substr(0, shared - 1));
        if (shared > 0 && chosen[shared - 1] == ' ') --shared;
        prompt = chosen.substr(0, shared);
        chosen.erase(0, shared);
        rejected.erase(0, shared);
    }
    if (!prompt.empty()) pair.prompt = {{"user", std::move(prompt)}};
    pair.chosen = {{"assistant", std::move(chosen)}};
    pair.rejected = {{"assistant", std::move(rejected)}};
}

/// The turns in a column that holds a text of `role` or a list of turns.
std::vector<ChatMessage> turns_in(const JsonRow& row, const char* column, const char* role) {
    if (row.has(column) && row.value[column].is_array()) return messages_in(row, column);
    return {{role, row.text({column}, false)}};
}

PreferenceRow read_single(const JsonRow& row) {
    PreferenceRow single;
    single.row = row.number;
    single.score_chosen = number_in(row, "score");
    if (!single.score_chosen)
        throw RowError(RowFault::missing, row.place() + ", column \"score\" holds no number.");
    if (row.has("text")) {
        single.chosen = {{"assistant", row.text({"text"}, false)}};
        return single;
    }
    single.conversational = row.has("completion") && row.value["completion"].is_array();
    single.prompt = turns_in(row, row.has("question") ? "question" : "prompt", "user");
    single.chosen = turns_in(row, "completion", "assistant");
    if (single.prompt.empty() || single.chosen.empty() || single.chosen.back().role != "assistant")
        throw RowError(RowFault::wrong_type,
                       row.place()
                           + ": \"prompt\" must have a turn, and \"completion\" end with the assistant's.");
    return single;
}

std::vector<PreferenceRow> pairs_of(const std::vector<TextExample>& examples) {
    std::vector<PreferenceRow> pairs;
    for (std::size_t i = 0; i < examples.size(); ++i) {
        PreferenceRow pair;
        pair.prompt = {{"user", examples[i].prompt}};
        pair.chosen = {{"assistant", examples[i].completion}};
        pair.rejected = {{"assistant", examples[(i + 1) % examples.size()].completion}};
        pair.row = static_cast<std::int64_t>(i) + 1;
        pairs.push_back(std::move(pair));
    }
    return pairs;
}

PreferenceSet drawn(const PreferenceOptions& options) {
    if (options.examples < 2 || options.validation_examples == 1)
        fail(ErrorKind::bad_input, "Pairs of Countdown solutions need at least 2 examples, and 2 or no "
                                   "validation_examples: the other one's solution is what is rejected.");
    TrainingSetOptions wanted;
    wanted.data = options.data;
    wanted.prompt_style = options.prompt_style;
    wanted.trace_style = options.trace_style;
    wanted.examples = options.examples;
    wanted.validation_examples = options.validation_examples;
    wanted.data_seed = options.data_seed;
    TrainingSet set = make_training_set(wanted);
    return {pairs_of(set.train), pairs_of(set.validation), {}};
}

} // namespace

PreferenceRow read_preference(const JsonRow& row, bool scored) {
    if (scored && !row.has("chosen") && row.has("score")) return read_single(row);
    PreferenceRow pair;
    pair.row = row.number;
    pair.score_chosen = number_in(row, "score_chosen");
    pair.score_rejected = number_in(row, "score_rejected");
    pair.margin = number_in(row, "margin");
    auto chosen = row.value.find("chosen");
    if (chosen != row.value.end() && chosen->is_array())
        read_conversations(row, pair);
    else if (row.has("prompt") && row.value["prompt"].is_array())
        throw RowError(RowFault::wrong_type, row.place()
                                                 + ": \"prompt\" is a list of turns, so \"chosen\" and "
                                                   "\"rejected\" must be lists of turns too.");
    else
        read_texts(row, pair);
    return pair;
}

bool has_same_answers(const PreferenceRow& row) {
    return std::equal(row.chosen.begin(), row.chosen.end(), row.rejected.begin(), row.rejected.end(), same);
}

std::uint64_t prompt_key(const PreferenceRow& row) {
    if (row.prompt.empty()) return std::hash<std::string>()(row.chosen.front().content);
    return hash_of(row.prompt);
}

std::vector<PreferenceRow> read_preferences(const std::string& data, bool scored) {
    TaskRows source(data, DataTask::preferences);
    BadRows refuse("refuse");
    std::vector<PreferenceRow> rows;
    while (auto row = source.next())
        refuse.use(*row, [&](const JsonRow& good) { rows.push_back(read_preference(good, scored)); });
    refuse.require_some(data);
    return rows;
}

PreferencePair render_preference(const PreferenceRow& row, ConversationRenderer& renderer) {
    PreferencePair pair;
    pair.score_chosen = row.score_chosen;
    pair.score_rejected = row.score_rejected;
    pair.row = row.row;
    if (!row.conversational) {
        if (!row.prompt.empty()) pair.prompt = row.prompt.front().content;
        pair.chosen = row.chosen.front().content;
        pair.rejected = row.rejected.front().content;
        return pair;
    }
    try {
        PromptAndAnswer chosen = renderer.render(row.prompt, row.chosen),
                        rejected = renderer.render(row.prompt, row.rejected);
        // One prompt for both, as TRL takes it: as much of it as both answers leave whole.
        std::size_t shared = std::min(chosen.prompt.size(), rejected.prompt.size());
        pair.prompt = chosen.prompt.substr(0, shared);
        pair.chosen = chosen.prompt.substr(shared) + chosen.answer;
        pair.rejected = rejected.prompt.substr(shared) + rejected.answer;
        pair.templated = chosen.templated;
    } catch (const Error& error) {
        fail(error.kind(), "Row " + std::to_string(row.row) + ": " + error.what());
    }
    return pair;
}

namespace {

/// A row of a file as the options ask for it.
PreferenceRow usable(const JsonRow& row, const PreferenceOptions& options) {
    PreferenceRow pair = read_preference(row, options.scored);
    const bool both = pair.score_chosen && pair.score_rejected;
    if (options.scored && !both && !(pair.score_chosen && pair.is_single()))
        throw RowError(RowFault::missing, row.place()
                                              + " lacks score_chosen or score_rejected, which regression "
                                                "learns; add them or set objective to bradley-terry.");
    if (options.with_margin && !pair.margin && !both)
        throw RowError(RowFault::missing,
                       row.place() + " has neither margin nor the two scores, which use_margin asks for.");
    return pair;
}

} // namespace

PreferenceSet make_preference_set(const PreferenceOptions& options) {
    if (options.data == "countdown") return drawn(options);
    if (!names_data(options.data))
        fail(ErrorKind::bad_input, "data must be \"countdown\" or the path of a data file or folder, not \""
                                       + options.data + "\"." + did_you_mean(options.data, {"countdown"}));
    TaskRows rows(options.data, DataTask::preferences, options.columns);
    auto chosen = select_rows<PreferenceRow>(
        rows,
        {options.examples, options.validation_examples, options.data_seed, options.bad_rows, options.data},
        [&](const JsonRow& row) { return prompt_key(usable(row, options)); },
        [&](const JsonRow& row) { return usable(row, options); });
    return {std::move(chosen.train), std::move(chosen.validation), std::move(chosen.skipped)};
}

} // namespace tempera
