#pragma once

#include "core/data/conversation.h"
#include "core/task/countdown.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tempera {

/// A row for fine-tuning as it was written. Text without roles (`conversational` false) is at most one user
/// turn and one assistant turn.
struct SftRow {
    std::vector<ChatMessage> prompt;
    std::vector<ChatMessage> answer; ///< what is learnt
    bool conversational = false;
    std::optional<CountdownProblem> problem; ///< instead of the above: its solution is made
    std::int64_t row = 0;
};

/// Whether a row holds a Countdown problem without a solution, which one is then made for. What the first row
/// of a file is, all are.
bool is_problem_row(const JsonRow& row);

/// `messages` (the last turn of the assistant is learnt, all before it is the prompt); `prompt` and
/// `completion`, both texts or both lists of turns; `text` alone, which is learnt as a whole; with `problems`
/// `nums` and `target`. Throws RowError.
SftRow read_sft_row(const JsonRow& row, bool problems);

/// Equal for rows with the same prompt (without one, the same answer; the same problem up to the order of its
/// numbers): they never stand in train and validation both.
std::uint64_t prompt_key(const SftRow& row);

/// Of turns, for such keys.
std::uint64_t hash_of(std::span<const ChatMessage> turns);

} // namespace tempera
