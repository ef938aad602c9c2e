#pragma once

#include "core/data/data_set.h"
#include "core/data/token_preview.h"
#include "core/data/validation.h"

#include <QString>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tempera {

/// What is known of a data set after it was opened. Plain structs, handed from the reader's threads to the
/// GUI thread.
struct DataSplitInfo {
    DataSplit split;
    std::vector<DataColumn> columns;
    std::vector<DetectedTask> detected; ///< the likeliest first
    std::optional<std::int64_t> rows;   ///< where the files say so themselves
    QString problem;                    ///< why its columns cannot be read
};
struct DataOverview {
    std::filesystem::path path;
    QString format;
    std::vector<DataSplitInfo> splits;
};
using DataOverviewPointer = std::shared_ptr<const DataOverview>;

/// How a data set is to be read, as the user has it.
struct DataReading {
    DataTask task = DataTask::sft;
    ColumnMapping columns; ///< what the user chose beside what is detected
    bool operator==(const DataReading&) const = default;
};

/// One message of a row, as it is shown.
struct ChatTurn {
    QString role; ///< "system", "user", "assistant", or what else it is: "chosen", "rejected", "facts"
    QString text;
    QString note; ///< beside the role: a score
    bool learnt = false;
};

/// A row as people read it.
struct ShownRow {
    std::int64_t index = -1; ///< in its split, from 0
    std::int64_t number = 0; ///< in its file
    QString source;          ///< the file's name
    QString problem;         ///< why it cannot be used as it is to be read
    std::vector<ChatTurn> turns;
    QString json; ///< as it stands in the file, indented
};

/// What the token view needs of a row.
struct TokenWish {
    std::filesystem::path model; ///< folder of the tokenizer; empty = none chosen
    std::int64_t max_length = 1024;
    bool operator==(const TokenWish&) const = default;
};

/// The turns of a row by its task. Throws RowError where it cannot be used so.
std::vector<ChatTurn> turns_of(const JsonRow& mapped, DataTask task);
/// What is shown of `row` (as it was read) at `index`.
ShownRow shown_row(const JsonRow& row, std::int64_t index, const DataReading& reading, bool text_cells);
/// A value of a table's cell on one line, cut to 200 characters.
QString cell_text(const Json& value);

} // namespace tempera
