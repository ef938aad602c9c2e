#include "core/data/sft_row.h"

#include <functional>

namespace tempera {

namespace {

SftRow split_conversation(const JsonRow& row) {
    SftRow result;
    result.prompt = messages_in(row, "messages");
    while (!result.prompt.empty() && result.prompt.back().role != "assistant")
        result.prompt.pop_back();
    if (result.prompt.empty())
        throw RowError(RowFault::empty,
                       row.place() + ": \"messages\" has no turn of the assistant to learn.");
    if (result.prompt.back().content.empty())
        throw RowError(RowFault::empty,
                       row.place() + ": the assistant's last turn in \"messages\" is empty.");
    result.answer = {std::move(result.prompt.back())};
    result.prompt.pop_back();
    result.conversational = true;
    return result;
}

SftRow two_conversations(const JsonRow& row) {
    SftRow result;
    result.prompt = messages_in(row, "prompt");
    result.answer = messages_in(row, "completion");
    if (result.answer.empty())
        throw RowError(RowFault::empty, row.place() + ", column \"completion\": it has no turns.");
    if (result.answer.back().content.empty())
        throw RowError(RowFault::empty, row.place() + ", column \"completion\": its last turn is empty.");
    result.conversational = true;
    return result;
}

SftRow texts(const JsonRow& row) {
    SftRow result;
    bool whole = row.has("text") && !row.has("completion");
    std::string prompt = whole ? "" : row.text({"prompt", "query"}, true);
    std::string answer = whole ? row.text({"text"}, false) : row.text({"completion"}, false);
    if (!prompt.empty()) result.prompt = {{"user", std::move(prompt)}};
    result.answer = {{"assistant", std::move(answer)}};
    return result;
}

} // namespace

bool is_problem_row(const JsonRow& row) {
    return row.has("nums") && !row.has("completion") && !row.has("messages");
}

SftRow read_sft_row(const JsonRow& row, bool problems) {
    SftRow result;
    if (row.has("messages"))
        result = split_conversation(row);
    else if (row.has("prompt") && row.value["prompt"].is_array())
        result = two_conversations(row);
    else if (problems)
        result.problem = problem_from(row);
    else
        result = texts(row);
    result.row = row.number;
    return result;
}

std::uint64_t hash_of(std::span<const ChatMessage> turns) {
    std::string text;
    for (const ChatMessage& turn : turns)
        text += turn.role + "\n" + turn.content + "\n";
    return std::hash<std::string>()(text);
}

std::uint64_t prompt_key(const SftRow& row) {
    if (row.problem) return canonical_hash(*row.problem);
    return hash_of(row.prompt.empty() ? row.answer : row.prompt);
}

} // namespace tempera
