#include "core/store/workspace.h"

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/suggest.h"
#include "core/store/folder_lock.h"
#include "core/store/run_folder.h"
#include "core/store/schema.h"
#include "core/store/workspace_rows.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>

namespace fs = std::filesystem;

namespace tempera {

namespace {

fs::path prepared(const fs::path& folder, Workspace::Access access) {
    std::error_code error;
    fs::path full = fs::absolute(folder, error).lexically_normal();
    if (access == Workspace::Access::read_write) {
        fs::create_directories(full / "runs", error);
        if (error) fail_errno("Cannot write in the workspace", full, error.value());
    } else if (!fs::exists(full / "workspace.db")) {
        fail(ErrorKind::not_found, full.string() + " is not a workspace: it holds no workspace.db.");
    }
    return full;
}

} // namespace

/// The writer's connection and the readers' are two, each under its own lock: a window that reads never waits
/// for a commit's fsync.
struct Workspace::State {
    State(const fs::path& path, Access wanted)
        : folder(prepared(path, wanted)), access(wanted),
          lock(wanted == Access::read_write ? std::make_unique<WorkspaceLock>(folder) : nullptr),
          writer(lock ? open_for_writing(folder / "workspace.db", workspace_schema()) : nullptr),
          reader(folder / "workspace.db", workspace_schema()) {}

    template <typename Body>
    auto read(Body&& body) {
        std::lock_guard guard(read_mutex);
        return reader.read(decltype(body(*writer)){}, std::forward<Body>(body));
    }

    /// One transaction. `body` may throw Error: then nothing was changed.
    template <typename Body>
    void write(Body&& body) {
        if (!writer)
            fail(ErrorKind::busy,
                 "The workspace " + folder.string() + " is open read-only; it cannot be changed here.");
        std::lock_guard guard(write_mutex);
        try {
            SQLite::Transaction transaction(*writer, SQLite::TransactionBehavior::IMMEDIATE);
            body(*writer);
            transaction.commit();
        } catch (const SQLite::Exception& error) {
            fail_sqlite(error, folder / "workspace.db", writer.get());
        }
        ++changes;
    }

    void recover();
    void adopt_strangers(const std::set<std::string>& known);
    RunRecord row(SQLite::Database& db, const std::string& id) const;
    std::vector<RunRecord> select(const std::string& condition, const std::string& argument = "");

    const fs::path folder;
    const Access access;
    std::unique_ptr<WorkspaceLock> lock;
    std::mutex write_mutex;
    std::unique_ptr<SQLite::Database> writer;
    std::mutex read_mutex;
    ReadConnection reader;
    std::atomic<std::int64_t> changes{1};
};

namespace {

std::vector<RunRecord> select_runs(SQLite::Database& db, const std::string& condition,
                                   const std::string& argument = "") {
    SQLite::Statement row(db, std::string("SELECT ") + run_columns + " FROM run " + condition);
    if (row.getBindParameterCount() > 0) row.bind(1, argument);
    std::vector<RunRecord> records;
    while (row.executeStep())
        records.push_back(run_from(row));
    return records;
}

std::int64_t next_position(SQLite::Database& db) {
    return db.execAndGet("SELECT coalesce(max(position), 0) + 1 FROM run").getInt64();
}

} // namespace

/// The row, or Error(not_found).
RunRecord Workspace::State::row(SQLite::Database& db, const std::string& id) const {
    auto found = select_runs(db, "WHERE id = ?", id);
    if (found.empty())
        fail(ErrorKind::not_found, "There is no run \"" + id + "\" in " + folder.string() + ".");
    return found.front();
}

/// The rows as they are in truth: the writer turns what a dead program left "running" into "interrupted"; a
/// reader, which cannot write that down, says it.
std::vector<RunRecord> Workspace::State::select(const std::string& condition, const std::string& argument) {
    auto rows = [&] {
        return read([&](SQLite::Database& db) { return select_runs(db, condition, argument); });
    };
    auto active = [](const RunRecord& record) { return is_active(record.status); };
    std::vector<RunRecord> records = rows();
    if (access == Access::read_write || std::ranges::none_of(records, active) || workspace_is_held(folder))
        return records;
    records = rows(); // the holder may have ended in order in between
    for (auto& record : records) {
        if (!active(record)) continue;
        record.status = RunStatus::interrupted;
        record.ended_ms = std::max(record.started_ms, last_write_ms(folder / "runs" / record.id));
    }
    return records;
}

/// After a program died: what it ran did not end, and what it was writing is half.
void Workspace::State::recover() {
    sweep_staged(folder / "runs");
    std::vector<RunRecord> records;
    write([&](SQLite::Database& db) {
        records = select_runs(db, "");
        for (auto& record : records) {
            if (!is_active(record.status)) continue;
            sweep_run_folder(folder / "runs" / record.id);
            record.status = RunStatus::interrupted;
            record.ended_ms = std::max(record.started_ms, last_write_ms(folder / "runs" / record.id));
            update_run_state(db, record);
        }
    });
    std::set<std::string> known;
    for (const auto& record : records)
        known.insert(record.id);
    adopt_strangers(known);
}

void Workspace::State::adopt_strangers(const std::set<std::string>& known) {
    std::vector<RunRecord> strangers;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder / "runs", error)) {
        std::string id = entry.path().filename().string();
        if (known.contains(id) || !is_valid_run_id(id) || !entry.is_directory()) continue;
        try {
            if (auto record = describe_run_folder(entry.path())) strangers.push_back(*record);
        } catch (const Error&) { // a folder that cannot be read stays out of the list; it harms nobody there
        }
    }
    if (strangers.empty()) return;
    std::sort(strangers.begin(), strangers.end(),
              [](const RunRecord& a, const RunRecord& b) { return a.created_ms < b.created_ms; });
    write([&](SQLite::Database& db) {
        for (auto& record : strangers) {
            record.position = next_position(db);
            insert_run(db, record);
        }
    });
}

Workspace::Workspace(fs::path folder, Access access) : state_(std::make_unique<State>(folder, access)) {
    if (access == Access::read_write) state_->recover();
    runs(); // a catalogue that cannot be read is refused here and not at the first use
}

Workspace::~Workspace() = default;

const fs::path& Workspace::folder() const {
    return state_->folder;
}

Workspace::Access Workspace::access() const {
    return state_->access;
}

fs::path Workspace::run_folder(const std::string& run_id) const {
    if (!is_valid_run_id(run_id)) fail(ErrorKind::bad_input, "\"" + run_id + "\" cannot be the id of a run.");
    return state_->folder / "runs" / run_id;
}

std::int64_t Workspace::version() const {
    if (state_->writer) return state_->changes.load();
    std::lock_guard guard(state_->read_mutex);
    return state_->reader.version();
}

std::vector<RunRecord> Workspace::runs() const {
    return state_->select("ORDER BY position, id");
}

std::vector<StudyRecord> Workspace::studies() const {
    return state_->read([](SQLite::Database& db) {
        SQLite::Statement row(db,
                              "SELECT id, name, recipe, created_ms FROM study ORDER BY created_ms, rowid");
        std::vector<StudyRecord> records;
        while (row.executeStep())
            records.push_back(study_from(row));
        return records;
    });
}

std::optional<RunRecord> Workspace::run(const std::string& id_or_prefix) const {
    if (id_or_prefix.empty()) return std::nullopt;
    auto exact = state_->select("WHERE id = ?", id_or_prefix);
    if (!exact.empty()) return exact.front();
    auto found =
        state_->select("WHERE substr(id, 1, length(?1)) = ?1 ORDER BY position LIMIT 3", id_or_prefix);
    if (found.size() > 1)
        fail(ErrorKind::bad_input, "\"" + id_or_prefix + "\" fits several runs (" + found[0].id + ", "
                                       + found[1].id + (found.size() > 2 ? ", ..." : "")
                                       + "); give more letters of the one you mean.");
    return found.empty() ? std::nullopt : std::optional(found.front());
}

RunRecord Workspace::require_run(const std::string& id_or_prefix) const {
    if (auto found = run(id_or_prefix)) return *found;
    std::vector<std::string> names;
    for (const auto& record : runs())
        names.push_back(record.id);
    fail(ErrorKind::not_found, "There is no run \"" + id_or_prefix + "\" in " + state_->folder.string() + "."
                                   + did_you_mean(id_or_prefix, names));
}

RunRecord Workspace::add_run(RunRecord record) {
    if (record.id.empty()) {
        do
            record.id = new_run_id(record.kind.empty() ? "run" : record.kind);
        while (fs::exists(run_folder(record.id)));
    }
    fs::path path = run_folder(record.id);
    if (record.created_ms == 0) record.created_ms = unix_time_ms();
    if (record.name.empty()) record.name = record.id;
    if (fs::exists(path)) fail(ErrorKind::bad_input, "There is already a run \"" + record.id + "\".");
    try {
        make_run_folder(path, record.recipe);
        state_->write([&](SQLite::Database& db) {
            record.position = next_position(db);
            insert_run(db, record);
        });
    } catch (...) {
        std::error_code ignored;
        fs::remove_all(path, ignored);
        throw;
    }
    return record;
}

StudyRecord Workspace::add_study(StudyRecord record) {
    if (record.id.empty()) record.id = new_run_id("study");
    if (record.created_ms == 0) record.created_ms = unix_time_ms();
    if (record.name.empty()) record.name = record.id;
    state_->write([&](SQLite::Database& db) {
        SQLite::Statement insert(db, "INSERT INTO study (id, name, recipe, created_ms) VALUES (?, ?, ?, ?)");
        insert.bind(1, record.id);
        insert.bind(2, record.name);
        insert.bind(3, record.recipe);
        insert.bind(4, record.created_ms);
        insert.exec();
    });
    return record;
}

void Workspace::update_run(const RunRecord& record) {
    state_->write([&](SQLite::Database& db) {
        state_->row(db, record.id);
        update_run_row(db, record);
    });
}

void Workspace::update_state(const RunRecord& record) {
    state_->write([&](SQLite::Database& db) { update_run_state(db, record); });
}

void Workspace::update_progress(const std::string& run_id, const Progress& progress,
                                const std::map<std::string, double>& headline) {
    state_->write([&](SQLite::Database& db) { update_run_progress(db, run_id, progress, headline); });
}

void Workspace::annotate(const std::string& run_id, const std::string& name, const std::string& notes,
                         const std::vector<std::string>& tags) {
    state_->write([&](SQLite::Database& db) {
        state_->row(db, run_id);
        annotate_run(db, run_id, name, notes, tags);
    });
}

void Workspace::reorder(const std::string& run_id, int index) {
    state_->write([&](SQLite::Database& db) {
        if (state_->row(db, run_id).status != RunStatus::queued)
            fail(ErrorKind::bad_input, "Run " + run_id + " is not queued, so it has no place in the queue.");
        auto queued = select_runs(db, "WHERE status = 'queued' ORDER BY position, id");
        std::vector<std::int64_t> positions;
        std::vector<std::string> order;
        for (const auto& record : queued) {
            positions.push_back(record.position);
            if (record.id != run_id) order.push_back(record.id);
        }
        auto place = std::clamp<std::ptrdiff_t>(index, 0, std::ssize(order));
        order.insert(order.begin() + place, run_id);
        SQLite::Statement update(db, "UPDATE run SET position = ? WHERE id = ?");
        for (std::size_t i = 0; i < order.size(); ++i) {
            update.bind(1, positions[i]);
            update.bind(2, order[i]);
            update.exec();
            update.reset();
        }
    });
}

void Workspace::remove_run(const std::string& run_id) {
    fs::path path = run_folder(run_id);
    if (is_active(require_run(run_id).status))
        fail(ErrorKind::busy, "Run " + run_id + " is running; stop or cancel it before you delete it.");
    auto remove_row = [&] {
        state_->write([&](SQLite::Database& db) {
            SQLite::Statement remove(db, "DELETE FROM run WHERE id = ?");
            remove.bind(1, run_id);
            remove.exec();
        });
    };
    // The folder steps aside first: after a crash in between, its remains are swept and never adopted again.
    fs::path aside = path.string() + ".tmp-removed";
    std::error_code error;
    fs::remove_all(aside, error);
    bool moved = fs::exists(path);
    if (moved) fs::rename(path, aside, error);
    if (moved && error) fail_errno("Cannot delete", path, error.value());
    try {
        remove_row();
    } catch (const Error& failure) {
        if (failure.kind() != ErrorKind::disk_full) {
            if (moved) fs::rename(aside, path, error);
            throw;
        }
        fs::remove_all(aside,
                       error); // a full disk is why people delete: make the room that the catalogue needs
        remove_row();
    }
    fs::remove_all(aside, error);
}

void Workspace::remove_study(const std::string& study_id) {
    auto members = state_->read(
        [&](SQLite::Database& db) { return select_runs(db, "WHERE study = ? ORDER BY position", study_id); });
    for (const auto& record : members)
        if (is_active(record.status))
            fail(ErrorKind::busy,
                 "Run " + record.id
                     + " of this study is running; stop or cancel it before you delete the study.");
    for (const auto& record : members)
        remove_run(record.id);
    state_->write([&](SQLite::Database& db) {
        SQLite::Statement remove(db, "DELETE FROM study WHERE id = ?");
        remove.bind(1, study_id);
        remove.exec();
    });
}

void Workspace::set_fingerprint(const std::string& run_id, const std::string& fingerprint) {
    state_->write([&](SQLite::Database& db) {
        SQLite::Statement update(db, "UPDATE run SET fingerprint = ? WHERE id = ?");
        update.bind(1, fingerprint);
        update.bind(2, run_id);
        update.exec();
    });
}

std::string Workspace::fingerprint(const std::string& run_id) const {
    return state_->read([&](SQLite::Database& db) {
        if (state_->reader.schema_version() < 2) return std::string();
        SQLite::Statement row(db, "SELECT fingerprint FROM run WHERE id = ?");
        row.bind(1, run_id);
        return row.executeStep() ? row.getColumn(0).getString() : std::string();
    });
}

std::optional<RunRecord> Workspace::finished_run_with(const std::string& fingerprint) const {
    return state_->read([&](SQLite::Database& db) -> std::optional<RunRecord> {
        if (fingerprint.empty() || state_->reader.schema_version() < 2) return std::nullopt;
        auto found = select_runs(db,
                                 "WHERE fingerprint = ? AND fingerprint <> '' AND status = 'finished'"
                                 " ORDER BY ended_ms DESC LIMIT 1",
                                 fingerprint);
        return found.empty() ? std::nullopt : std::optional(found.front());
    });
}

} // namespace tempera
