#include "app/cli.h"
#include "app/cli_jsonl.h"
#include "app/cli_models.h"
#include "app/cli_output.h"
#include "core/data/row_file.h"
#include "core/queue/engine.h"

#include <algorithm>
#include <memory>

namespace tempera::cli {

namespace {

struct RewardOptions {
    std::string model;
    std::string text;
    std::string file;
    std::filesystem::path workspace;
    int threads = 0;
};

/// Scores of so many rows are computed before they are written: enough for rows of like length to meet.
constexpr std::size_t rows_at_once = 256;

RewardQuery query_of(const JsonRow& row) {
    bool whole = row.has("text"), asked = row.has("prompt") || row.has("completion");
    if (whole && asked)
        fail(ErrorKind::bad_input,
             row.place() + " has both text and prompt or completion; give a whole text, or the other two.");
    if (whole) return {std::nullopt, row.text({"text"}, true), row.place()};
    return {row.text({"prompt"}, true), row.text({"completion"}, true), row.place()};
}

/// All rows are read before the first is scored: a wrong row is found before the work is done.
std::vector<RewardQuery> read_queries(const std::string& file) {
    std::vector<RewardQuery> queries;
    auto take = [&](const JsonRow& row) { queries.push_back(query_of(row)); };
    if (file.empty()) {
        for_each_row(take);
        return queries;
    }
    RowFile rows(file);
    while (auto row = rows.next()) {
        if (!row->problem.empty()) throw RowError(RowFault::unreadable, row->problem);
        take(*row);
    }
    return queries;
}

int score_rows(const RewardOptions& options) {
    auto folder = model_folder(options.model, options.workspace);
    auto queries = read_queries(options.file);
    if (queries.empty()) return exit_done;
    auto model = load_engine().load_reward(folder, options.text, options.threads);
    for (std::size_t first = 0; first < queries.size(); first += rows_at_once) {
        auto part = std::span(queries).subspan(first, std::min(rows_at_once, queries.size() - first));
        for (double score : model->score(part))
            write_row({{"score", score}});
        flush_output();
    }
    return exit_done;
}

} // namespace

void add_reward_verb(CLI::App& app, Action& action) {
    auto options = std::make_shared<RewardOptions>();
    auto* verb =
        app.add_subcommand("reward", "JSON lines: {\"prompt\",\"completion\"}, or {\"text\"} that is "
                                     "whole already -> {\"score\"} of a reward model");
    verb->add_option("FILE", options->file, "The rows; standard input without it");
    verb->add_option("--model", options->model, "run:ID of a reward model, or its folder")
        ->required()
        ->type_name("MODEL");
    verb->add_option("--text", options->text,
                     "How prompt and completion are put together (as the model was trained)")
        ->check(CLI::IsMember({"plain", "chat", "pair"}));
    verb->add_option("--threads", options->threads, "Threads to compute with (0 = all cores)")
        ->check(CLI::Range(0, 4096));
    add_workspace_option(*verb, options->workspace);
    verb->callback([options, &action] { action = [options] { return score_rows(*options); }; });
}

} // namespace tempera::cli
