#pragma once

#include "core/data/conversation.h"
#include "core/data/task_rows.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tempera {

/// A preference as it was written: two answers to the same prompt. Text without roles (`conversational`
/// false) is one user turn and one assistant turn each; the prompt may then be empty or missing.
struct PreferenceRow {
    std::vector<ChatMessage> prompt;
    std::vector<ChatMessage> chosen;
    std::vector<ChatMessage> rejected;
    bool conversational = false;
    std::optional<double> score_chosen, score_rejected; ///< absolute scores, e.g. of ultrafeedback_binarized
    std::optional<double> margin;
    std::int64_t row = 0; ///< of the file, from 1

    /// One answer with an absolute score: `chosen` and `score_chosen`, without `rejected`. No prompt: the
    /// answer is a whole text.
    bool is_single() const { return rejected.empty(); }
};

/// The same as a model reads it. prompt + chosen and prompt + rejected are the two texts.
struct PreferencePair {
    std::string prompt;
    std::string chosen;
    std::string rejected;
    bool templated = false; ///< see PromptAndAnswer
    std::optional<double> score_chosen, score_rejected;
    std::int64_t row = 0;
};

/// A preference in the shapes that TRL and the hub have:
/// - `chosen` and `rejected`: texts, or lists of {"role", "content"};
/// - `prompt` (or `question`): a text or such a list. Where it is missing, or `chosen` is a list that begins
///   with another turn than the assistant's, the prompt is what both answers begin with: their common turns,
///   or their common characters without a space at the end (TRL's extract_prompt; ultrafeedback_binarized);
/// - `score_chosen` and `score_rejected`, `margin`: numbers, optional.
/// With `scored` also rows with a number `score` and no `chosen`, for reward models that learn scores:
/// - `prompt` (or `question`) and `completion`: texts, or lists of turns;
/// - `text`: a whole text.
/// Other columns are left alone. Throws RowError.
PreferenceRow read_preference(const JsonRow& row, bool scored = false);

/// All rows of a file or folder (TaskRows). Throws Error(bad_input) naming file, row and column;
/// Error(not_found, io).
std::vector<PreferenceRow> read_preferences(const std::string& data, bool scored = false);

/// Whether both answers are one: nothing can be learnt from the pair.
bool has_same_answers(const PreferenceRow& row);

/// Equal for rows with the same prompt.
std::uint64_t prompt_key(const PreferenceRow& row);

/// Throws as ConversationRenderer::render, naming the row.
PreferencePair render_preference(const PreferenceRow& row, ConversationRenderer& renderer);

/// Where preferences come from; the fields are those of recipes, by the same names.
struct PreferenceOptions {
    /// "countdown": drawn problems; chosen is a worked solution, rejected the solution of another problem.
    /// Else a file or folder (TaskRows) of rows for DataTask::preferences, see read_preference().
    std::string data = "countdown";
    std::string prompt_style = "paper";
    std::string trace_style = "cognitive";
    std::int64_t examples = 1000; ///< for files 0 = all rows that validation leaves
    std::int64_t validation_examples = 0;
    std::uint64_t data_seed = 0; ///< the draw; for files the shuffle that separates validation from train
    bool scored = false;      ///< see read_preference(); a row without a score for each answer cannot be used
    bool with_margin = false; ///< a row without a margin or the two scores cannot be used
    std::string columns;      ///< for files: see parse_columns(); "" = detected
    std::string bad_rows = "skip"; ///< for files: "skip" leaves out rows that cannot be used, "refuse" throws
};

struct PreferenceSet {
    std::vector<PreferenceRow> train;
    std::vector<PreferenceRow> validation;
    SkippedRows skipped; ///< rows of a file that could not be used
};

/// The same options give the same rows; no prompt is in train and validation both. Throws Error(bad_input)
/// naming the option, or file, row and column; Error(not_found, io) for the file.
PreferenceSet make_preference_set(const PreferenceOptions& options);

} // namespace tempera
