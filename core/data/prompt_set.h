#pragma once

#include "core/data/task_rows.h"
#include "core/text/chat_template.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tempera {

/// A prompt that models answer, and what a checker must know to judge the answer.
struct TaskPrompt {
    /// The conversation so far, which the model's chat template turns into its prompt; empty where `text` is
    /// that prompt already.
    std::vector<ChatMessage> messages;
    std::string text; ///< what people read, and judges where nothing came before: the last user turn, or the
                      ///< whole prompt
    /// The turns as the row has them, without a recipe's system turn, where `text` is not the only one:
    /// judges read them instead, in the form in which reward models are trained on them. Else empty.
    std::vector<ChatMessage> conversation;
    std::string facts; ///< {"constraints": [..]} or {"nums": [..], "target": ..} as JSON text; "" = none
    std::string place; ///< "rows.jsonl row 7"; "" for prompts that come from no file
};

/// What errors call a prompt: its place in the file, or "Prompt 8" for the one at index 7 of a set.
std::string name_of(const TaskPrompt& prompt, std::size_t index);

/// Where prompts come from; the fields are those of recipes, by the same names.
struct PromptSetOptions {
    /// "instructions": the shipped instructions with verifiable constraints; "countdown": drawn problems; or
    /// a file or folder (TaskRows) with one of these in every row (and "constraints" beside the first two,
    /// where they are to be checked):
    ///  - `prompt`: the user's words, or a list of {"role", "content"};
    ///  - `messages`: a list of {"role", "content"}; of both lists an assistant turn at the end is left out;
    ///  - `nums` and `target` alone: a Countdown problem.
    std::string data = "instructions";
    /// "train", "validation" or "test": of the first two, and of a folder that has it. A file's rows are
    /// taken in its order.
    std::string split = "train";
    std::int64_t count = 0;             ///< at most so many; 0 = all of a file or of the instructions
    std::uint64_t data_seed = 0;        ///< order of the instructions, draw of the problems
    std::string prompt_style = "paper"; ///< of Countdown problems: "paper" or "short"
    std::string system;                 ///< system turn of conversations that bring none; "" = none
    std::string columns;                ///< for files: see parse_columns(); "" = detected
    std::string bad_rows = "skip"; ///< for files: "skip" leaves out rows that cannot be used, "refuse" throws
};

/// The same options give the same prompts, and a longer set starts with the shorter one. Throws
/// Error(bad_input) naming the option, or file, row and column; Error(not_found, io) for the file. `skipped`,
/// where given, gets what was left out.
std::vector<TaskPrompt> make_prompt_set(const PromptSetOptions& options, SkippedRows* skipped = nullptr);

/// The prompt in a row of DataTask::prompts, as the options say. Throws RowError.
TaskPrompt read_prompt(const JsonRow& row, const PromptSetOptions& options);

/// The text to put to a model: encode it without adding special tokens where there are `messages` (the
/// template writes them), with them where there are none.
std::string prompt_text(const TaskPrompt& prompt, const ChatTemplate& style);

} // namespace tempera
