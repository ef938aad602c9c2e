#pragma once

#include "core/data/columns.h"
#include "core/data/data_files.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tempera {

/// The rows that a data field of a recipe names: a file or a folder of any format (find_data_splits), behind
/// "#" one of its splits, with their columns named as the task calls them. One thread at a time.
class TaskRows {
public:
    /// Where "#" names none of several splits, usual_splits() say which is taken, else the first. `columns`
    /// as parse_columns() reads it. Throws Error(not_found, bad_input, io).
    TaskRows(const std::string& data, DataTask task, const std::string& columns = "",
             const std::string& side = "train");
    TaskRows(std::vector<std::filesystem::path> files, DataTask task, ColumnMapping columns);

    /// nullopt behind the last row of the last file. A row that cannot be read, or that lacks a column that
    /// was given, comes back with its `problem`. Throws Error(bad_input, io) where the rest cannot be read.
    std::optional<JsonRow> next();
    void restart();
    /// What of the data is not read (DataSplit::notes).
    const std::vector<std::string>& notes() const { return notes_; }

private:
    TaskRows(DataSplit split, DataTask task, ColumnMapping columns);

    std::vector<std::filesystem::path> files_;
    std::vector<std::string> notes_;
    std::vector<std::string> wanted_; ///< columns of a Parquet file
    ColumnMapper mapper_;
    std::size_t next_file_ = 0;
    std::optional<RowFile> file_;
};

/// The splits that a task takes where none is named, best first. `side` is "train", "validation" or "test":
/// train_prefs for preferences, train_gen for prompts, train_sft for sft (as ultrafeedback_binarized has
/// them), then train.
std::vector<std::string> usual_splits(DataTask task, const std::string& side = "train");

/// What became of rows that could not be used.
struct SkippedRows {
    std::int64_t count = 0;
    std::int64_t of = 0;            ///< rows that were read
    std::vector<std::string> first; ///< the sentences of the first ones
    std::vector<std::string> notes; ///< of files that were not read, one sentence each (TaskRows::notes())
};
/// "3 of 1000 rows were skipped: a.jsonl row 7 ...; ..."; "" where none was.
std::string sentence_of(const SkippedRows& skipped);

/// Decides over rows that cannot be used: "skip" counts them, "refuse" throws. May go on counting from what
/// was skipped `before`.
class BadRows {
public:
    /// Throws Error(bad_input) for another word.
    explicit BadRows(const std::string& decision, SkippedRows before = {});

    /// Runs `use`, which throws Error(bad_input, unsupported) for a row that it cannot use. false where it
    /// was skipped.
    template <class Use>
    bool use(const JsonRow& row, Use&& use) {
        ++skipped_.of;
        return use_again(row, use);
    }
    /// The same for a row that was counted before.
    template <class Use>
    bool use_again(const JsonRow& row, Use&& use) {
        try {
            if (!row.problem.empty()) throw RowError(RowFault::unreadable, row.problem);
            use(row);
            return true;
        } catch (const Error& error) {
            skip(error);
            return false;
        }
    }
    /// Called in the handler of `error`: counts the row, or throws on.
    void skip(const Error& error);
    const SkippedRows& skipped() const { return skipped_; }
    /// The same, with what of the data was not read at all.
    SkippedRows skipped_of(const TaskRows& rows) const;
    /// Throws Error(bad_input) with the first row's sentence where no row could be used, or there was none.
    void require_some(const std::string& source) const;
    [[noreturn]] void fail_all(const std::string& source) const;

private:
    bool refuse_;
    SkippedRows skipped_;
};

} // namespace tempera
