#include "core/data/validation.h"

#include "core/data/preferences.h"
#include "core/data/prompt_set.h"
#include "core/data/sft_row.h"
#include "core/data/task_rows.h"
#include "core/data/token_example.h"
#include "core/text/tokenizer.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <unordered_set>

namespace tempera {

namespace {

constexpr std::size_t most_flagged = 100;
constexpr std::size_t histogram_bins = 40;
constexpr std::int64_t report_every = 256;

RowIssue issue_of(RowFault fault) {
    switch (fault) {
    case RowFault::unreadable:
        return RowIssue::unreadable;
    case RowFault::missing:
        return RowIssue::missing;
    case RowFault::wrong_type:
        return RowIssue::wrong_type;
    case RowFault::empty:
        return RowIssue::empty;
    case RowFault::unknown_role:
        return RowIssue::unknown_role;
    }
    return RowIssue::unreadable;
}

/// What a row of any task is to the checks.
struct ReadRow {
    std::uint64_t prompt = 0; ///< key of the prompt
    std::uint64_t whole = 0;  ///< key of prompt and answers
    bool same_answers = false;
    SftRow longer; ///< prompt and the longer answer, for the length
};

std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
    return (a ^ (b + 0x9e3779b97f4a7c15ull + (a << 6) + (a >> 2))) * 0xff51afd7ed558ccdull;
}

std::size_t bytes_of(const std::vector<ChatMessage>& turns) {
    std::size_t bytes = 0;
    for (const ChatMessage& turn : turns)
        bytes += turn.content.size();
    return bytes;
}

ReadRow from_preference(PreferenceRow pair) {
    ReadRow read;
    read.prompt = prompt_key(pair);
    read.whole = mixed(mixed(read.prompt, hash_of(pair.chosen)), hash_of(pair.rejected));
    read.same_answers = has_same_answers(pair);
    bool chosen = bytes_of(pair.chosen) >= bytes_of(pair.rejected);
    read.longer.prompt = std::move(pair.prompt);
    read.longer.answer = std::move(chosen ? pair.chosen : pair.rejected);
    read.longer.conversational = pair.conversational;
    return read;
}

ReadRow from_prompt(TaskPrompt prompt) {
    ReadRow read;
    read.longer.conversational = !prompt.messages.empty();
    read.longer.prompt = prompt.messages.empty() ? std::vector<ChatMessage>{{"user", prompt.text}}
                                                 : std::move(prompt.messages);
    read.prompt = read.whole = hash_of(read.longer.prompt);
    return read;
}

ReadRow from_problem(CountdownProblem problem) {
    ReadRow read;
    read.prompt = read.whole = canonical_hash(problem);
    read.longer.prompt = {{"user", format_prompt(problem, PromptStyle::paper)}};
    return read;
}

/// Reads mapped rows of one task.
class Reader {
public:
    explicit Reader(DataTask task, std::string system) : task_(task) { prompts_.system = std::move(system); }

    ReadRow read(const JsonRow& row) {
        switch (task_) {
        case DataTask::preferences:
            return from_preference(read_preference(row));
        case DataTask::prompts:
            return from_prompt(read_prompt(row, prompts_));
        case DataTask::countdown:
            return from_problem(problem_from(row));
        case DataTask::sft:
            break;
        }
        if (!problems_) problems_ = is_problem_row(row);
        SftRow sft = read_sft_row(row, *problems_);
        if (sft.problem) return from_problem(*sft.problem);
        ReadRow read;
        read.prompt = prompt_key(sft);
        read.whole = mixed(read.prompt, hash_of(sft.answer));
        read.longer = std::move(sft);
        return read;
    }

private:
    DataTask task_;
    PromptSetOptions prompts_;
    std::optional<bool> problems_; ///< what the first row is, all are
};

/// Measures rows as the trainers tokenise them, or in characters.
class Ruler {
public:
    explicit Ruler(const ValidationOptions& options) : renderer_(options.model, options.system) {
        if (!options.model.empty()) tokenizer_ = Tokenizer::load(options.model);
    }

    std::int64_t length(const SftRow& row) {
        if (!tokenizer_) {
            std::int64_t characters = 0;
            for (const auto* turns : {&row.prompt, &row.answer})
                for (const ChatMessage& turn : *turns)
                    characters += std::count_if(turn.content.begin(), turn.content.end(),
                                                [](char c) { return (c & 0xC0) != 0x80; });
            return characters;
        }
        TokeniseOptions whole;
        whole.eos_id = tokenizer_->eos_id().value_or(-1);
        return tokenise_example(rendered(row), *tokenizer_, whole).length();
    }
    std::string unit() const { return tokenizer_ ? "tokens" : "characters"; }

private:
    TextExample rendered(const SftRow& row) {
        if (row.conversational) {
            PromptAndAnswer text = renderer_.render(row.prompt, row.answer);
            return {std::move(text.prompt), std::move(text.answer), text.templated};
        }
        return {row.prompt.empty() ? "" : row.prompt.front().content,
                row.answer.empty() ? "" : row.answer.front().content, false};
    }

    ConversationRenderer renderer_;
    std::optional<Tokenizer> tokenizer_;
};

LengthHistogram histogram_of(std::vector<std::int32_t> lengths, const std::string& unit) {
    LengthHistogram result;
    result.unit = unit;
    if (lengths.empty()) return result;
    std::sort(lengths.begin(), lengths.end());
    auto at = [&](double share) {
        return lengths[static_cast<std::size_t>(share * static_cast<double>(lengths.size() - 1))];
    };
    result.shortest = lengths.front();
    result.median = at(0.5);
    result.p95 = at(0.95);
    result.longest = lengths.back();
    for (std::int32_t length : lengths)
        result.mean += length / static_cast<double>(lengths.size());
    // Bins of equal width up to the 99th percentile, and one for what is longer.
    std::int64_t width = std::max<std::int64_t>(
        1, (at(0.99) - result.shortest) / static_cast<std::int64_t>(histogram_bins) + 1);
    for (std::int64_t edge = result.shortest / width * width; edge <= at(0.99); edge += width)
        result.edges.push_back(edge);
    if (result.edges.empty()) result.edges.push_back(result.shortest);
    if (result.edges.back() + width <= result.longest) result.edges.push_back(result.edges.back() + width);
    result.counts.assign(result.edges.size(), 0);
    for (std::int32_t length : lengths)
        ++result.counts[static_cast<std::size_t>(
            std::upper_bound(result.edges.begin(), result.edges.end(), length) - result.edges.begin() - 1)];
    result.edges.push_back(std::max(result.longest + 1, result.edges.back() + width));
    return result;
}

class Validation {
public:
    Validation(const DataSet& data, std::size_t split, const ValidationOptions& options,
               const OnDataProgress& progress, const StopToken& stop)
        : split_(data.splits().at(split)), options_(options), on_progress_(progress), stop_(stop),
          given_(parse_columns(options.columns)), mapper_(options.task, given_),
          reader_(options.task, options.system), ruler_(options) {}

    ValidationReport run() {
        report_.task = options_.task;
        progress_.total = split_.bytes;
        report_.whole = (options_.train.empty() || read_train()) && read_split();
        for (auto& [issue, found] : found_)
            report_.issues.push_back(std::move(found));
        std::sort(report_.issues.begin(), report_.issues.end(),
                  [](const IssueReport& a, const IssueReport& b) { return a.issue < b.issue; });
        report_.lengths = histogram_of(std::move(lengths_), ruler_.unit());
        return std::move(report_);
    }

private:
    /// The keys of the prompts of the other data set; false where it was stopped.
    bool read_train() {
        DataPath other = data_path_of(options_.train);
        auto splits = find_data_splits(other.path);
        const auto& chosen =
            choose_split(splits, other.split, usual_splits(options_.task), other.path.string());
        TaskRows rows(chosen.files, options_.task, given_);
        Reader reader(options_.task, options_.system);
        for (std::int64_t count = 0;; ++count) {
            if (count % report_every == 0 && stop_) return false;
            auto row = rows.next();
            if (!row) return true;
            if (!row->problem.empty()) continue;
            try {
                train_.insert(reader.read(*row).prompt);
            } catch (const RowError&) { // that split's own report tells of it
            }
        }
    }

    bool read_split() {
        for (const auto& path : split_.files) {
            RowFile file(path, known_columns(given_)); // what else stands there is no matter of the task's
            while (auto row = file.next()) {
                check(std::move(*row), file.format() == DataFormat::csv);
                if (report_.rows % report_every != 0) continue;
                if (stop_) return false;
                progress_.rows = report_.rows;
                progress_.done = before_ + done_of(file, path);
                if (on_progress_) on_progress_(progress_);
            }
            before_ += std::filesystem::file_size(path);
        }
        progress_.rows = report_.rows;
        progress_.done = progress_.total;
        if (on_progress_) on_progress_(progress_);
        return true;
    }

    static std::uint64_t done_of(const RowFile& file, const std::filesystem::path& path) {
        auto rows = file.stated_rows();
        if (!rows) return file.position().byte;
        double share =
            *rows > 0 ? static_cast<double>(file.position().number) / static_cast<double>(*rows) : 0;
        return static_cast<std::uint64_t>(std::min(share, 1.0)
                                          * static_cast<double>(std::filesystem::file_size(path)));
    }

    void check(JsonRow row, bool text_cells) {
        place_ = {row.source, row.number, report_.rows++, ""};
        if (!row.problem.empty()) return flag(RowIssue::unreadable, row.problem);
        try {
            if (report_.mapping.empty()) take_mapping(row);
            check_read(reader_.read(mapper_.map(std::move(row), text_cells)));
        } catch (const RowError& error) {
            flag(issue_of(error.fault()), error.what());
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::bad_input && error.kind() != ErrorKind::unsupported) throw;
            flag(RowIssue::wrong_type, error.what());
        }
    }

    void take_mapping(const JsonRow& row) {
        std::vector<std::string> names;
        for (const auto& [name, value] : row.value.items())
            if (!value.is_null()) names.push_back(name);
        report_.mapping = detect_columns(options_.task, names, given_);
    }

    void check_read(const ReadRow& row) {
        std::int64_t length = ruler_.length(row.longer);
        ++report_.usable;
        lengths_.push_back(static_cast<std::int32_t>(std::min<std::int64_t>(length, INT32_MAX)));
        if (ruler_.unit() == "tokens" && length > options_.max_length)
            flag(RowIssue::too_long, std::to_string(length) + " tokens");
        if (row.same_answers) flag(RowIssue::same_answers, "");
        auto [first, is_new] = seen_.emplace(row.whole, report_.rows - 1);
        if (!is_new)
            flag(RowIssue::duplicate, "as row " + std::to_string(first->second + 1) + " of the split");
        if (train_.contains(row.prompt)) flag(RowIssue::in_train, "");
    }

    void flag(RowIssue issue, const std::string& note) {
        IssueReport& found =
            found_.try_emplace(static_cast<int>(issue), IssueReport{issue, 0, {}}).first->second;
        ++found.count;
        if (found.rows.size() == most_flagged) return;
        found.rows.push_back(place_);
        found.rows.back().note = note;
    }

    const DataSplit& split_;
    const ValidationOptions& options_;
    const OnDataProgress& on_progress_;
    const StopToken& stop_;
    ColumnMapping given_;
    ColumnMapper mapper_;
    Reader reader_;
    Ruler ruler_;

    ValidationReport report_;
    DataProgress progress_;
    std::uint64_t before_ = 0; ///< bytes of the files that were read
    FlaggedRow place_;         ///< of the row that is checked
    std::unordered_map<int, IssueReport> found_;
    std::unordered_map<std::uint64_t, std::int64_t> seen_; ///< whole row -> its first index
    std::unordered_set<std::uint64_t> train_;
    std::vector<std::int32_t> lengths_;
};

} // namespace

const char* words_of(RowIssue issue) {
    switch (issue) {
    case RowIssue::unreadable:
        return "cannot be read";
    case RowIssue::missing:
        return "a column is missing";
    case RowIssue::wrong_type:
        return "a column holds another thing than it must";
    case RowIssue::empty:
        return "empty";
    case RowIssue::unknown_role:
        return "unknown role";
    case RowIssue::same_answers:
        return "chosen and rejected are the same";
    case RowIssue::too_long:
        return "longer than the limit";
    case RowIssue::duplicate:
        return "there already";
    case RowIssue::in_train:
        return "the prompt stands in the training data too";
    }
    return "?";
}

const char* name_of(RowIssue issue) {
    switch (issue) {
    case RowIssue::unreadable:
        return "unreadable";
    case RowIssue::missing:
        return "missing";
    case RowIssue::wrong_type:
        return "wrong_type";
    case RowIssue::empty:
        return "empty";
    case RowIssue::unknown_role:
        return "unknown_role";
    case RowIssue::same_answers:
        return "same_answers";
    case RowIssue::too_long:
        return "too_long";
    case RowIssue::duplicate:
        return "duplicate";
    case RowIssue::in_train:
        return "in_train";
    }
    return "?";
}

ValidationReport validate(const DataSet& data, std::size_t split, const ValidationOptions& options,
                          const OnDataProgress& progress, const StopToken& stop) {
    return Validation(data, split, options, progress, stop).run();
}

} // namespace tempera
