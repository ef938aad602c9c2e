#pragma once

#include "core/data/row_file.h"

#include <map>
#include <string>
#include <vector>

namespace tempera {

/// What the rows of a data set are used for. Where `prompt` is found in a column "instruction", or a column
/// is given as `input`, the `input` of Alpaca's data sets goes with it: what it is about, behind the prompt
/// and a blank line where it is not empty.
enum class DataTask {
    sft,         ///< `messages`; or `prompt` and `completion`; or `nums` and `target`, which get a solution
    preferences, ///< `chosen` and `rejected`, mostly `prompt`; `score_chosen`, `score_rejected`, `margin`;
                 ///< or for reward models one answer (`prompt`, `completion`) or `text` with its `score`
    prompts,     ///< `prompt`, `messages`, or `nums` and `target`; `constraints`
    countdown    ///< `nums` and `target`
};

/// "sft", "preferences", "prompts", "countdown"
const char* name_of(DataTask task);
/// Throws Error(bad_input) with the nearest name.
DataTask data_task_from(const std::string& name);

/// The column that holds what is called `messages`, `prompt`, `completion`, `chosen` ... here ("roles").
struct ColumnMapping {
    std::map<std::string, std::string> column_of; ///< role -> column
    bool empty() const { return column_of.empty(); }
    /// "prompt=question, completion=answer"; a column with a comma in its name stands in quotes
    std::string text() const;
    friend bool operator==(const ColumnMapping&, const ColumnMapping&) = default;
};

/// Reads "prompt=question,completion=answer", and columns in quotes with quotes doubled. Throws
/// Error(bad_input) for an unknown role, with the nearest.
ColumnMapping parse_columns(const std::string& text);

/// The roles of a task that a row with these columns fills: those that `given` names, and by their names the
/// ones of the hub's, TRL's and ShareGPT's data sets (`query`, `question`, `conversations`, ...). Empty where
/// the columns do not make a row of the task.
ColumnMapping detect_columns(DataTask task, const std::vector<std::string>& columns,
                             const ColumnMapping& given = {});

/// All names that detect_columns() looks for: what of a Parquet file has to be read.
std::vector<std::string> known_columns(const ColumnMapping& given);

/// Gives rows the names of the roles, row by row.
class ColumnMapper {
public:
    ColumnMapper(DataTask task, ColumnMapping given) : task_(task), given_(std::move(given)) {}

    /// `row` with its values under the names of the roles and nothing else; where its columns do not make a
    /// row of the task, as it was; `input` stands in `prompt`. ShareGPT's turns ({"from", "value"}; human,
    /// gpt) become {"role", "content"}; contents made of text parts become text. Of a CSV file (`text_cells`)
    /// lists and numbers are read from the text. A column that is null is not there. Throws RowError(missing)
    /// naming a column that was given and is not there, RowError(wrong_type) for an input that is no text.
    JsonRow map(JsonRow row, bool text_cells) const;

private:
    DataTask task_;
    ColumnMapping given_;
};

} // namespace tempera
