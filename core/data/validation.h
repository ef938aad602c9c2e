#pragma once

#include "core/data/data_set.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tempera {

/// What can be the matter with a row. The first five (RowFault) keep it from being used; so does too_long
/// where the answer is cut off whole.
enum class RowIssue {
    unreadable,
    missing,
    wrong_type,
    empty,
    unknown_role,
    same_answers, ///< a preference whose chosen and rejected answer are the same
    too_long,     ///< longer than max_length tokens: its end is cut off
    duplicate,    ///< the same prompt and answer as an earlier row
    in_train      ///< a test row whose prompt stands in the other split
};
/// "cannot be read", "a column is missing", ...: what stands before the number of rows.
const char* words_of(RowIssue issue);
/// "unreadable", "missing", ...: for JSON.
const char* name_of(RowIssue issue);

/// One row that an issue was found in.
struct FlaggedRow {
    std::string source;      ///< file name
    std::int64_t number = 0; ///< as JsonRow's
    std::int64_t index = 0;  ///< of the split's rows, from 0: DataSet::rows() shows it
    std::string note;        ///< the sentence of the error, or "as row 12"; "" where the issue says all
};

struct IssueReport {
    RowIssue issue;
    std::int64_t count = 0;
    std::vector<FlaggedRow> rows; ///< the first 100
};

/// Lengths of the rows that can be used, prompt and answer together (of a preference its longer answer).
struct LengthHistogram {
    std::string unit;                 ///< "tokens" with a model, else "characters"
    std::vector<std::int64_t> edges;  ///< bin i counts lengths from edges[i] up to edges[i + 1] - 1
    std::vector<std::int64_t> counts; ///< one fewer than edges
    std::int64_t shortest = 0, median = 0, p95 = 0, longest = 0;
    double mean = 0;
};

struct ValidationReport {
    DataTask task = DataTask::sft;
    ColumnMapping mapping;           ///< of the first row that fits
    std::int64_t rows = 0;           ///< read
    std::int64_t usable = 0;         ///< that a run can use
    bool whole = true;               ///< false where it was stopped
    std::vector<IssueReport> issues; ///< those that were found, in RowIssue's order
    LengthHistogram lengths;
};

struct ValidationOptions {
    DataTask task = DataTask::sft;
    std::string columns;         ///< as parse_columns() reads it
    std::filesystem::path model; ///< folder of the tokenizer and chat template; empty = lengths in characters
    std::int64_t max_length = 1024; ///< tokens; with `model`
    std::string system;             ///< system turn of conversations that bring none
    /// The other data set (or split, behind "#"), whose prompts are looked for here: these rows are the test
    /// rows. Empty = none.
    std::string train;
};

/// Reads a split through. A row counts once for every issue that it has. Memory: about 24 bytes a row.
/// Throws Error(bad_input, not_found, io) where nothing can be read at all.
ValidationReport validate(const DataSet& data, std::size_t split, const ValidationOptions& options,
                          const OnDataProgress& progress, const StopToken& stop);

} // namespace tempera
