#include "core/store/run_reader.h"

#include "core/store/run_rows.h"
#include "core/store/schema.h"
#include "core/store/text_search.h"

#include <set>

namespace fs = std::filesystem;

namespace tempera {

struct RunReader::State {
    explicit State(const fs::path& run_folder)
        : folder(run_folder), connection(run_folder / "run.db", run_schema()) {}

    /// All rows of a query as `convert(row)` makes them; `bind` fills its parameters. One statement is one
    /// short transaction.
    template <typename Bind, typename Convert>
    auto all(const std::string& sql, Bind&& bind, Convert&& convert) {
        using Row = decltype(convert(std::declval<SQLite::Statement&>()));
        return connection.read(std::vector<Row>{}, [&](SQLite::Database& db) {
            SQLite::Statement statement(db, sql);
            bind(statement);
            std::vector<Row> rows;
            while (statement.executeStep())
                rows.push_back(convert(statement));
            return rows;
        });
    }
    template <typename Convert>
    auto all(const std::string& sql, Convert&& convert) {
        return all(
            sql, [](SQLite::Statement&) {}, std::forward<Convert>(convert));
    }

    /// Asked anew each time, not by the version: an old file may be migrated while it is read.
    bool has_table(const char* name) {
        return connection.read(false, [&](SQLite::Database& db) { return db.tableExists(name); });
    }
    bool has_column(const char* table, const char* column) {
        return !all(
                    "SELECT 1 FROM pragma_table_info(?) WHERE name = ?",
                    [&](SQLite::Statement& statement) {
                        statement.bind(1, table);
                        statement.bind(2, column);
                    },
                    [](SQLite::Statement& row) { return row.getColumn(0).getInt(); })
                    .empty();
    }

    fs::path folder;
    ReadConnection connection;
};

RunReader::RunReader(const fs::path& folder) : state_(std::make_unique<State>(folder)) {}
RunReader::~RunReader() = default;
RunReader::RunReader(RunReader&&) noexcept = default;

std::int64_t RunReader::version() const {
    return state_->connection.version();
}

std::vector<std::string> RunReader::metric_names() const {
    return state_->all(
        "SELECT name FROM metric_name WHERE EXISTS (SELECT 1 FROM metric WHERE name_id = metric_name.id)"
        " ORDER BY id",
        [](SQLite::Statement& row) { return row.getColumn(0).getString(); });
}

std::vector<MetricPoint> RunReader::metric(const std::string& name, std::int64_t after_step) const {
    return state_->all(
        "SELECT step, value FROM metric WHERE name_id = (SELECT id FROM metric_name WHERE name = ?) AND step "
        "> ? ORDER BY step",
        [&](SQLite::Statement& statement) {
            statement.bind(1, name);
            statement.bind(2, after_step);
        },
        [](SQLite::Statement& row) {
            return MetricPoint{row.getColumn(0).getInt64(), real_from(row.getColumn(1))};
        });
}

std::vector<RunEvent> RunReader::events(std::int64_t after_id) const {
    return state_->all(
        "SELECT id, time_ms, step, kind, message FROM event WHERE id > ? ORDER BY id",
        [&](SQLite::Statement& statement) { statement.bind(1, after_id); },
        [](SQLite::Statement& row) {
            return RunEvent{row.getColumn(0).getInt64(), row.getColumn(1).getInt64(),
                            row.getColumn(2).getInt64(), row.getColumn(3).getString(),
                            row.getColumn(4).getString()};
        });
}

Progress RunReader::progress() const {
    auto rows = state_->all("SELECT phase, done, total, unit, rate, eta_seconds, memory_gib FROM progress",
                            [](SQLite::Statement& row) {
                                return Progress{row.getColumn(0).getString(), row.getColumn(1).getInt64(),
                                                row.getColumn(2).getInt64(),  row.getColumn(3).getString(),
                                                real_from(row.getColumn(4)),  real_from(row.getColumn(5)),
                                                real_from(row.getColumn(6))};
                            });
    return rows.empty() ? Progress{} : rows.front();
}

std::map<std::string, double> RunReader::headline() const {
    auto rows = state_->all("SELECT name, value FROM headline", [](SQLite::Statement& row) {
        return std::pair(row.getColumn(0).getString(), real_from(row.getColumn(1)));
    });
    return {rows.begin(), rows.end()};
}

std::vector<CheckpointRecord> RunReader::checkpoints() const {
    auto records = state_->all(
        "SELECT step, folder, eval_loss, best FROM checkpoint ORDER BY step", [](SQLite::Statement& row) {
            CheckpointRecord record{row.getColumn(0).getInt64(), row.getColumn(1).getString(), std::nullopt,
                                    row.getColumn(3).getInt() != 0};
            if (!row.getColumn(2).isNull()) record.eval_loss = row.getColumn(2).getDouble();
            return record;
        });
    // Older checkpoints are deleted to keep a run's size in bounds; their rows tell when they were made, not
    // that they exist.
    std::erase_if(records, [&](const CheckpointRecord& record) {
        std::error_code ignored;
        return !fs::exists(state_->folder / record.folder, ignored);
    });
    return records;
}

std::vector<SweepCell> RunReader::sweep_cells() const {
    return state_->all("SELECT temperature, n, mean, low, high, problems_done, problems_total FROM sweep_cell"
                       " ORDER BY temperature, n",
                       [](SQLite::Statement& row) {
                           return SweepCell{row.getColumn(0).getDouble(), row.getColumn(1).getInt(),
                                            real_from(row.getColumn(2)),  real_from(row.getColumn(3)),
                                            real_from(row.getColumn(4)),  row.getColumn(5).getInt64(),
                                            row.getColumn(6).getInt64()};
                       });
}

std::vector<SweepRow> RunReader::sweep_rows() const {
    return state_->all(
        "SELECT temperature, score, pass_at_1, format_rate, mean_length, truncated_share, samples_done,"
        " samples_total FROM sweep_row ORDER BY temperature",
        [](SQLite::Statement& row) {
            return SweepRow{row.getColumn(0).getDouble(), real_from(row.getColumn(1)),
                            real_from(row.getColumn(2)),  real_from(row.getColumn(3)),
                            real_from(row.getColumn(4)),  real_from(row.getColumn(5)),
                            row.getColumn(6).getInt64(),  row.getColumn(7).getInt64()};
        });
}

std::vector<PromptRecord> RunReader::prompts() const {
    return state_->all("SELECT prompt_index, text, facts FROM prompt ORDER BY prompt_index",
                       [](SQLite::Statement& row) {
                           return PromptRecord{row.getColumn(0).getInt64(), row.getColumn(1).getString(),
                                               row.getColumn(2).getString()};
                       });
}

std::vector<double> RunReader::sampled_temperatures() const {
    // A loose scan of the index: one jump per temperature, however many samples there are.
    return state_->all(
        "WITH RECURSIVE found(t) AS (SELECT min(temperature) FROM sample UNION ALL"
        " SELECT (SELECT min(temperature) FROM sample WHERE temperature > t) FROM found WHERE t IS NOT NULL)"
        " SELECT t FROM found WHERE t IS NOT NULL",
        [](SQLite::Statement& row) { return row.getColumn(0).getDouble(); });
}

std::vector<Sample> RunReader::samples(double temperature, std::int64_t prompt_index) const {
    return state_->all(
        std::string("SELECT ") + sample_columns
            + " FROM sample WHERE temperature = ? AND prompt_index = ? ORDER BY sample_index",
        [&](SQLite::Statement& statement) {
            statement.bind(1, temperature);
            statement.bind(2, prompt_index);
        },
        sample_from);
}

std::vector<RunReader::PromptScores> RunReader::prompt_scores(double temperature) const {
    return state_->connection.read(std::vector<PromptScores>{}, [&](SQLite::Database& db) {
        SQLite::Statement row(db, "SELECT prompt_index, score FROM sample WHERE temperature = ?"
                                  " ORDER BY prompt_index, sample_index");
        row.bind(1, temperature);
        std::vector<PromptScores> all;
        while (row.executeStep()) {
            std::int64_t index = row.getColumn(0).getInt64();
            if (all.empty() || all.back().prompt_index != index) all.push_back({index, {}});
            all.back().scores.push_back(real_from(row.getColumn(1)));
        }
        return all;
    });
}

std::vector<std::int64_t> RunReader::search(double temperature, const std::string& text) const {
    return state_->connection.read(std::vector<std::int64_t>{}, [&](SQLite::Database& db) {
        TextSearch search(text);
        SQLite::Transaction snapshot(db);
        SQLite::Statement prompt(
            db, "SELECT prompt_index, text FROM prompt WHERE EXISTS (SELECT 1 FROM sample WHERE"
                " temperature = ? AND sample.prompt_index = prompt.prompt_index)");
        prompt.bind(1, temperature);
        std::set<std::int64_t> hits;
        while (prompt.executeStep())
            if (search.found_in(prompt.getColumn(1).getString())) hits.insert(prompt.getColumn(0).getInt64());
        SQLite::Statement sample(db, "SELECT prompt_index, text FROM sample WHERE temperature = ?");
        sample.bind(1, temperature);
        while (sample.executeStep())
            if (!hits.contains(sample.getColumn(0).getInt64())
                && search.found_in(sample.getColumn(1).getString()))
                hits.insert(sample.getColumn(0).getInt64());
        return std::vector<std::int64_t>(hits.begin(), hits.end());
    });
}

std::int64_t RunReader::sample_count() const {
    return state_->connection.read<std::int64_t>(
        0, [](SQLite::Database& db) { return db.execAndGet("SELECT count(*) FROM sample").getInt64(); });
}

std::vector<std::int64_t> RunReader::rollout_steps() const {
    if (!state_->has_table("rollout")) return {};
    return state_->all("SELECT DISTINCT step FROM rollout ORDER BY step",
                       [](SQLite::Statement& row) { return row.getColumn(0).getInt64(); });
}

std::vector<RolloutGroup> RunReader::rollouts(std::int64_t step) const {
    if (!state_->has_table("rollout")) return {};
    return state_->connection.read(std::vector<RolloutGroup>{}, [&](SQLite::Database& db) {
        SQLite::Transaction snapshot(db);
        SQLite::Statement head(db, "SELECT group_index, prompt, facts FROM rollout WHERE step = ?"
                                   " ORDER BY group_index");
        head.bind(1, step);
        std::vector<RolloutGroup> groups;
        while (head.executeStep())
            groups.push_back({step,
                              head.getColumn(0).getInt(),
                              head.getColumn(1).getString(),
                              head.getColumn(2).getString(),
                              {}});
        SQLite::Statement row(db, std::string("SELECT ") + rollout_sample_columns
                                      + " FROM rollout_sample WHERE step = ? ORDER BY group_index,"
                                        " sample_index");
        row.bind(1, step);
        auto group = groups.begin(); // both come in the order of the groups
        while (row.executeStep()) {
            while (group != groups.end() && group->group != row.getColumn(0).getInt())
                ++group;
            if (group == groups.end()) break;
            group->samples.push_back(rollout_sample_from(row));
        }
        return groups;
    });
}

std::vector<Comparison> RunReader::comparisons() const {
    if (!state_->has_table("comparison")) return {};
    const bool with_tokens = state_->has_column("comparison", "base_token_ids");
    return state_->all(std::string("SELECT ") + comparison_columns + ", "
                           + (with_tokens ? comparison_token_columns : "x'', x'', x'', x''")
                           + " FROM comparison ORDER BY prompt_index",
                       comparison_from);
}

std::int64_t RunReader::comparison_count() const {
    if (!state_->has_table("comparison")) return 0;
    return state_->connection.read<std::int64_t>(
        0, [](SQLite::Database& db) { return db.execAndGet("SELECT count(*) FROM comparison").getInt64(); });
}

} // namespace tempera
