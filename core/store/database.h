#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tempera {

/// What a kind of database file looks like. `migrations[i]` leads from user_version i to i + 1; the last one
/// is current.
struct Schema {
    std::string title;           ///< "run database", for messages
    std::int32_t application_id; ///< written into the file's header, so that a stranger's file is recognised
    std::vector<const char*> migrations;
    bool backup_before_migration = false; ///< keep `<file>.before-v<N>` beside it

    int version() const { return static_cast<int>(migrations.size()); }
};

/// SQLite's error as the project's own, with the right kind: disk_full, busy, bad_input for a damaged or
/// foreign file, else io. `db` may be null.
[[noreturn]] void fail_sqlite(const SQLite::Exception& error, const std::filesystem::path& path,
                              SQLite::Database* db);

/// Opens `path` for its one writer, creating it whole (an empty file counts as absent) and migrating it in
/// one transaction: WAL, synchronous FULL, foreign keys. The caller sees to it that there is no second writer
/// (workspace lock, folder lock), so that only this connection ever checkpoints: SQLite before 3.51.3 can
/// lose commits with two. Throws Error(io, disk_full, busy, bad_input); bad_input for a newer schema, a
/// foreign or a damaged file.
std::unique_ptr<SQLite::Database> open_for_writing(const std::filesystem::path& path, const Schema& schema);

/// A read-only connection that opens itself when the file appears. It never writes and never checkpoints. It
/// also reads where nothing can be written: a folder on a read-only disk, with or without a WAL that a killed
/// writer left behind. One thread at a time. An older schema is read as it is.
class ReadConnection {
public:
    ReadConnection(std::filesystem::path path, const Schema& schema);

    /// The open database, or null while the file is absent or has no schema yet. Throws as
    /// open_for_writing().
    SQLite::Database* database();
    /// Changes, and only upwards, whenever another connection committed. 0 = no database yet.
    std::int64_t version();
    int schema_version() const { return schema_version_; }
    const std::filesystem::path& path() const { return path_; }

    /// Runs `body(database)`; SQLite's errors leave as Error. Not called while there is no database.
    template <typename Result, typename Body>
    Result read(Result when_absent, Body&& body) {
        SQLite::Database* db = database();
        if (!db) return when_absent;
        try {
            return std::forward<Body>(body)(*db);
        } catch (const SQLite::Exception& error) {
            fail_sqlite(error, path_, db);
        }
    }

private:
    bool try_open(const std::string& uri, bool exclusive);
    std::string stamp() const;

    std::filesystem::path path_;
    const Schema& schema_;
    std::unique_ptr<SQLite::Database> database_;
    int schema_version_ = 0;
    std::int64_t generation_ = 0; ///< of the connection
    bool frozen_ = false;         ///< reads a snapshot taken without locks: reopened when the files change
    std::string stamp_;           ///< sizes and times of the files behind a frozen connection
};

/// NaN travels as NULL, which is how SQLite would store it anyway.
void bind_real(SQLite::Statement& statement, int index, double value);
double real_from(const SQLite::Column& column);

} // namespace tempera
