#pragma once

#include "core/data/task_rows.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tempera {

/// What a supervised example is made of. `prompt` may be empty (plain text to learn from as a whole).
/// The trainer appends the end-of-text token to `completion`, but not where `templated`: then the text came
/// out of a chat template, with its special tokens and the end of the answer.
struct TextExample {
    std::string prompt;
    std::string completion;
    bool templated = false;
};

struct TrainingSet {
    std::vector<TextExample> train;
    std::vector<TextExample> validation;
    SkippedRows skipped; ///< rows of a file that could not be used
};

/// Where examples come from; the fields are those of the SFT recipe, by the same names.
struct TrainingSetOptions {
    /// "countdown": drawn problems with a warm-start trace each (train and validation splits, see split_of);
    /// "arithmetic": plain text of calculations to pretrain a tiny base, with nothing of the task's format;
    /// or a file or folder (TaskRows) of rows for DataTask::sft, see read_sft_row(). Rows with `nums` and
    /// `target` get a trace as drawn problems do.
    std::string data = "countdown";
    std::string prompt_style = "paper";    ///< "paper" or "short"
    std::string trace_style = "cognitive"; ///< "cognitive" or "short"
    std::int64_t examples = 1000;          ///< for files 0 = all rows that validation leaves
    std::int64_t validation_examples = 0;
    std::uint64_t data_seed = 0;   ///< the draw; for files the shuffle that separates validation from train
    std::filesystem::path model;   ///< for conversations: the folder with the chat template
    std::string system;            ///< for conversations without a system turn; "" = as the template has it
    std::string columns;           ///< for files: see parse_columns(); "" = detected
    std::string bad_rows = "skip"; ///< for files: "skip" leaves out rows that cannot be used, "refuse" throws
};

/// The same options give the same examples. A problem (up to the order of its numbers), a prompt with a
/// file's text rows, is never in train and validation both. A file with fewer rows gives fewer examples, but
/// at least one to train on. Throws Error(bad_input) naming the option, or file, row and column;
/// Error(not_found, io) for the file.
TrainingSet make_training_set(const TrainingSetOptions& options);

} // namespace tempera
