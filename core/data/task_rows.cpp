#include "core/data/task_rows.h"

#include "core/base/counted.h"
#include "core/base/suggest.h"

#include <algorithm>

namespace tempera {

namespace {

constexpr std::size_t most_sentences = 3;

DataSplit split_of(const std::string& data, DataTask task, const std::string& side) {
    DataPath wanted = data_path_of(data);
    auto splits = find_data_splits(wanted.path);
    return choose_split(splits, wanted.split, usual_splits(task, side), wanted.path.string());
}

} // namespace

std::vector<std::string> usual_splits(DataTask task, const std::string& side) {
    const char* purpose = task == DataTask::sft ? "_sft" : task == DataTask::preferences ? "_prefs" : "_gen";
    return {side + purpose, side};
}

TaskRows::TaskRows(const std::string& data, DataTask task, const std::string& columns,
                   const std::string& side)
    : TaskRows(split_of(data, task, side), task, parse_columns(columns)) {}

TaskRows::TaskRows(DataSplit split, DataTask task, ColumnMapping columns)
    : TaskRows(std::move(split.files), task, std::move(columns)) {
    notes_ = std::move(split.notes);
}

TaskRows::TaskRows(std::vector<std::filesystem::path> files, DataTask task, ColumnMapping columns)
    : files_(std::move(files)), wanted_(known_columns(columns)), mapper_(task, std::move(columns)) {}

void TaskRows::restart() {
    next_file_ = 0;
    file_.reset();
}

std::optional<JsonRow> TaskRows::next() {
    for (;;) {
        if (!file_) {
            if (next_file_ == files_.size()) return std::nullopt;
            file_.emplace(files_[next_file_++], wanted_);
        }
        auto row = file_->next();
        if (!row) {
            file_.reset();
            continue;
        }
        JsonRow bare{Json(), row->number, row->source, ""};
        try {
            return mapper_.map(std::move(*row), file_->format() == DataFormat::csv);
        } catch (const RowError& error) {
            bare.problem = error.what();
            return bare;
        }
    }
}

std::string sentence_of(const SkippedRows& skipped) {
    if (skipped.count == 0) return "";
    std::string text = std::to_string(skipped.count) + " of " + counted(skipped.of, "row")
                       + (skipped.count == 1 ? " was" : " were") + " skipped: ";
    for (std::size_t i = 0; i < skipped.first.size(); ++i)
        text += (i > 0 ? " " : "") + skipped.first[i];
    if (skipped.count > static_cast<std::int64_t>(skipped.first.size())) text += " ...";
    return text;
}

BadRows::BadRows(const std::string& decision, SkippedRows before)
    : refuse_(decision == "refuse"), skipped_(std::move(before)) {
    if (!refuse_ && decision != "skip")
        fail(ErrorKind::bad_input, "bad_rows must be \"skip\" or \"refuse\", not \"" + decision + "\"."
                                       + did_you_mean(decision, {"skip", "refuse"}));
}

void BadRows::skip(const Error& error) {
    bool of_the_row = error.kind() == ErrorKind::bad_input || error.kind() == ErrorKind::unsupported;
    if (refuse_ || !of_the_row) throw;
    ++skipped_.count;
    if (skipped_.first.size() < most_sentences) skipped_.first.push_back(error.what());
}

SkippedRows BadRows::skipped_of(const TaskRows& rows) const {
    SkippedRows all = skipped_;
    all.notes = rows.notes();
    return all;
}

void BadRows::require_some(const std::string& source) const {
    if (skipped_.of == 0) fail(ErrorKind::bad_input, source + " holds no rows.");
    if (skipped_.count == skipped_.of) fail_all(source);
}

void BadRows::fail_all(const std::string& source) const {
    std::string rest = skipped_.of > 1
                           ? " None of the " + counted(skipped_.of, "row") + " of " + source + " can be used."
                           : "";
    fail(ErrorKind::bad_input,
         skipped_.first.empty() ? source + " has no row to train on." : skipped_.first.front() + rest);
}

} // namespace tempera
