#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tempera {

/// What a supervised example is made of. `prompt` may be empty (plain text to learn from as a whole).
/// The trainer appends the end-of-text token to `completion`.
struct TextExample {
    std::string prompt;
    std::string completion;
};

struct TrainingSet {
    std::vector<TextExample> train;
    std::vector<TextExample> validation;
};

/// Where examples come from; the fields are those of the SFT recipe, by the same names.
struct TrainingSetOptions {
    /// "countdown": drawn problems with a warm-start trace each (train and validation splits, see split_of);
    /// "arithmetic": plain text of calculations to pretrain a tiny base, with nothing of the task's format;
    /// a path ending in .jsonl: rows with `prompt` (or `query`) and `completion`, or rows with `nums` and
    /// `target`, which get a trace as drawn problems do. What the first row has, every row must have.
    std::string data = "countdown";
    std::string prompt_style = "paper";    ///< "paper" or "short"
    std::string trace_style = "cognitive"; ///< "cognitive" or "short"
    std::int64_t examples = 1000;          ///< for files 0 = all rows that validation leaves
    std::int64_t validation_examples = 0;
    std::uint64_t data_seed = 0; ///< the draw; for files the shuffle that separates validation from train
};

/// The same options give the same examples. A problem (up to the order of its numbers), a prompt with a
/// file's text rows, is never in train and validation both. A file with fewer rows gives fewer examples, but
/// at least one to train on. Throws Error(bad_input) naming the option, or file, row and column;
/// Error(not_found, io) for the file.
TrainingSet make_training_set(const TrainingSetOptions& options);

} // namespace tempera
