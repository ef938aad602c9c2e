#include "core/store/run_writer.h"

#include "core/base/error.h"
#include "core/store/folder_lock.h"
#include "core/store/run_rows.h"
#include "core/store/schema.h"

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace tempera {

namespace {

using Clock = std::chrono::steady_clock;
constexpr auto most_pending_time = std::chrono::milliseconds(800); // the promise is a second
constexpr auto least_commit_distance =
    std::chrono::milliseconds(250); // a commit is an fsync: not at every step
constexpr std::size_t most_pending_rows = 4096;

std::int64_t now_ms() {
    using namespace std::chrono;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

/// What was reported and is not committed yet. It is kept until a commit succeeded, so a full disk loses
/// nothing as long as the process lives.
struct Pending {
    std::optional<std::int64_t> rewind;
    std::vector<std::pair<std::int64_t, Metric>> metrics;
    std::vector<RunEvent> events;
    std::vector<PromptRecord> prompts;
    std::vector<Sample> samples;
    std::map<std::pair<double, int>, SweepCell> cells;
    std::map<double, SweepRow> rows;
    std::vector<RolloutGroup> rollouts;
    std::vector<Comparison> comparisons;
    std::vector<CheckpointRecord> checkpoints;
    std::map<std::string, double> headline;
    std::optional<Progress> progress;

    std::size_t size() const {
        return metrics.size() + events.size() + prompts.size() + samples.size() + cells.size() + rows.size()
               + rollouts.size() + comparisons.size() + checkpoints.size() + headline.size()
               + (progress ? 1 : 0) + (rewind ? 1 : 0);
    }
};

} // namespace

struct RunWriter::State {
    explicit State(const std::filesystem::path& folder)
        : lock(folder, "The run in " + folder.string()
                           + " is being written by another process; wait for it or stop it first."),
          path(folder / "run.db"), db(open_for_writing(path, run_schema())) {
        flusher = std::thread([this] { flush_in_background(); });
    }

    ~State() {
        {
            std::lock_guard guard(mutex);
            quit = true;
        }
        wake.notify_all();
        flusher.join();
    }

    /// Adds to what is pending under the lock, and commits where it is time.
    template <typename Add>
    void add(Add&& add_to, bool at_once = false) {
        std::lock_guard guard(mutex);
        bool was_empty = pending.size() == 0;
        add_to(pending);
        auto now = Clock::now();
        if (was_empty) {
            oldest = now;
            wake.notify_all();
        }
        if (at_once || now - last_commit >= least_commit_distance || pending.size() >= most_pending_rows)
            commit();
    }

    void flush_in_background();
    void commit();
    void write(Pending& batch);
    void write_metrics(const Pending& batch);
    void write_rewind(std::int64_t step);
    std::int64_t metric_id(const std::string& name);

    FolderLock lock;
    std::filesystem::path path;
    std::unique_ptr<SQLite::Database> db;
    std::unordered_map<std::string, std::int64_t> metric_ids; ///< of committed names only

    std::mutex mutex; ///< guards all below and the database
    std::condition_variable wake;
    Pending pending;
    Clock::time_point oldest{};
    Clock::time_point last_commit = Clock::now() - least_commit_distance;
    bool quit = false;
    std::thread flusher;
};

/// A step may take half a minute; what it reported before must not wait for the next report. An error here is
/// not lost: the rows stay, and the run's own thread meets it at its next report.
void RunWriter::State::flush_in_background() {
    std::unique_lock guard(mutex);
    while (!quit) {
        if (pending.size() == 0) {
            wake.wait(guard);
            continue;
        }
        auto due = std::max(oldest, last_commit) + most_pending_time;
        if (Clock::now() < due) {
            wake.wait_until(guard, due);
            continue;
        }
        try {
            commit();
        } catch (const std::exception&) {
            oldest = Clock::now();
        }
    }
}

void RunWriter::State::commit() {
    last_commit = Clock::now();
    if (pending.size() == 0) return;
    try {
        // A failed COMMIT may already have been rolled back by SQLite; the destructor's rollback then is
        // harmless.
        SQLite::Transaction transaction(*db, SQLite::TransactionBehavior::IMMEDIATE);
        write(pending);
        transaction.commit();
    } catch (const SQLite::Exception& error) {
        metric_ids.clear(); // ids given in the lost transaction
        fail_sqlite(error, path, db.get());
    }
    pending = Pending{};
}

void RunWriter::State::write(Pending& batch) {
    if (batch.rewind) write_rewind(*batch.rewind);
    write_metrics(batch);
    auto each = [&](const auto& items, const char* sql, auto&& insert) {
        if (items.empty()) return;
        SQLite::Statement statement(*db, sql);
        for (const auto& item : items)
            insert(statement, item);
    };
    each(batch.events, insert_event_sql, insert_event);
    each(batch.prompts,
         "INSERT INTO prompt (prompt_index, text, facts) VALUES (?, ?, ?)"
         " ON CONFLICT (prompt_index) DO UPDATE SET text = excluded.text, facts = excluded.facts",
         [](SQLite::Statement& statement, const PromptRecord& prompt) {
             statement.bind(1, prompt.index);
             statement.bind(2, prompt.text);
             statement.bind(3, prompt.facts);
             statement.exec();
             statement.reset();
         });
    each(batch.samples, insert_sample_sql, insert_sample);
    each(batch.cells, replace_cell_sql,
         [](auto& statement, const auto& item) { replace_cell(statement, item.second); });
    each(batch.rows, replace_row_sql,
         [](auto& statement, const auto& item) { replace_row(statement, item.second); });
    replace_rollouts(*db, batch.rollouts);
    replace_comparisons(*db, batch.comparisons);
    for (const auto& checkpoint : batch.checkpoints) {
        if (checkpoint.best) db->exec("UPDATE checkpoint SET best = 0 WHERE best <> 0");
        SQLite::Statement statement(
            *db, "REPLACE INTO checkpoint (step, folder, eval_loss, best) VALUES (?, ?, ?, ?)");
        statement.bind(1, checkpoint.step);
        statement.bind(2, checkpoint.folder);
        if (checkpoint.eval_loss) bind_real(statement, 3, *checkpoint.eval_loss);
        statement.bind(4, checkpoint.best ? 1 : 0);
        statement.exec();
    }
    each(batch.headline, "REPLACE INTO headline (name, value) VALUES (?, ?)",
         [](SQLite::Statement& statement, const auto& item) {
             statement.bind(1, item.first);
             bind_real(statement, 2, item.second);
             statement.exec();
             statement.reset();
         });
    if (batch.progress) {
        SQLite::Statement statement(*db, replace_progress_sql);
        replace_progress(statement, *batch.progress);
    }
}

void RunWriter::State::write_metrics(const Pending& batch) {
    if (batch.metrics.empty()) return;
    SQLite::Statement statement(*db, "REPLACE INTO metric (name_id, step, value) VALUES (?, ?, ?)");
    for (const auto& [step, metric] : batch.metrics) {
        statement.bind(1, metric_id(metric.name));
        statement.bind(2, step);
        bind_real(statement, 3, metric.value);
        statement.exec();
        statement.reset();
    }
}

std::int64_t RunWriter::State::metric_id(const std::string& name) {
    auto known = metric_ids.find(name);
    if (known != metric_ids.end()) return known->second;
    SQLite::Statement insert(*db, "INSERT OR IGNORE INTO metric_name (name) VALUES (?)");
    insert.bind(1, name);
    insert.exec();
    SQLite::Statement select(*db, "SELECT id FROM metric_name WHERE name = ?");
    select.bind(1, name);
    select.executeStep();
    return metric_ids[name] = select.getColumn(0).getInt64();
}

void RunWriter::State::write_rewind(std::int64_t step) {
    for (const char* sql :
         {"DELETE FROM metric WHERE step > ?", "DELETE FROM checkpoint WHERE step > ?",
          "DELETE FROM rollout WHERE step > ?",
          "DELETE FROM event WHERE step > ? AND kind IN ('checkpoint', 'evaluation', 'health', 'log')"}) {
        SQLite::Statement statement(*db, sql);
        statement.bind(1, step);
        statement.exec();
    }
}

RunWriter::RunWriter(const std::filesystem::path& folder) : state_(std::make_unique<State>(folder)) {}

RunWriter::~RunWriter() {
    try {
        flush();
    } catch (const std::exception&) { // whoever needs to know has called flush() before
    }
}

void RunWriter::on_progress(const Progress& progress) {
    state_->add([&](Pending& pending) { pending.progress = progress; }, progress.phase == "saving");
}

void RunWriter::on_metrics(std::int64_t step, std::span<const Metric> metrics) {
    state_->add([&](Pending& pending) {
        for (const auto& metric : metrics)
            pending.metrics.emplace_back(step, metric);
    });
}

void RunWriter::on_event(const RunEvent& event) {
    bool resumed = event.kind == "resumed" && event.step >= 0;
    if (resumed) rewind_to(event.step);
    state_->add(
        [&](Pending& pending) {
            pending.events.push_back(event);
            if (event.time_ms == 0) pending.events.back().time_ms = now_ms();
        },
        resumed);
}

void RunWriter::on_prompts(std::span<const PromptRecord> prompts) {
    state_->add([&](Pending& pending) {
        pending.prompts.insert(pending.prompts.end(), prompts.begin(), prompts.end());
    });
}

void RunWriter::on_samples(std::span<const Sample> samples) {
    state_->add([&](Pending& pending) {
        pending.samples.insert(pending.samples.end(), samples.begin(), samples.end());
    });
}

void RunWriter::on_sweep(std::span<const SweepCell> cells, std::span<const SweepRow> rows) {
    state_->add([&](Pending& pending) {
        for (const auto& cell : cells)
            pending.cells[{cell.temperature, cell.n}] = cell;
        for (const auto& row : rows)
            pending.rows[row.temperature] = row;
    });
}

void RunWriter::on_rollouts(std::span<const RolloutGroup> groups) {
    state_->add([&](Pending& pending) {
        pending.rollouts.insert(pending.rollouts.end(), groups.begin(), groups.end());
    });
}

void RunWriter::on_comparisons(std::span<const Comparison> comparisons) {
    state_->add([&](Pending& pending) {
        pending.comparisons.insert(pending.comparisons.end(), comparisons.begin(), comparisons.end());
    });
}

void RunWriter::on_checkpoint(const CheckpointRecord& checkpoint) {
    state_->add([&](Pending& pending) { pending.checkpoints.push_back(checkpoint); }, true);
}

void RunWriter::on_headline(const std::string& name, double value) {
    state_->add([&](Pending& pending) { pending.headline[name] = value; });
}

void RunWriter::rewind_to(std::int64_t step) {
    std::lock_guard guard(state_->mutex);
    state_->commit(); // what came before the rewind is subject to it
    state_->pending.rewind = step;
    state_->commit();
}

void RunWriter::flush() {
    std::lock_guard guard(state_->mutex);
    state_->commit();
}

} // namespace tempera
