#include "core/store/database.h"

#include "core/base/error.h"
#include "core/base/files.h"

#include <cerrno>
#include <cmath>
#include <cstring>
#include <fcntl.h>
#include <limits>
#include <random>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fs = std::filesystem;

namespace tempera {

namespace {

constexpr int busy_timeout_ms = 5000; // a reader only ever waits for a recovery, a writer for nobody

/// A file from elsewhere may carry a hostile schema: no functions with side effects from it, no writes to it.
void harden(SQLite::Database& db) {
    sqlite3_db_config(db.getHandle(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(db.getHandle(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    db.exec("PRAGMA cell_size_check = ON");
}

int pragma(SQLite::Database& db, const std::string& name) {
    return db.execAndGet("PRAGMA " + name).getInt();
}

void check_identity(SQLite::Database& db, const fs::path& path, const Schema& schema) {
    int id = pragma(db, "application_id");
    if (id != schema.application_id)
        fail(ErrorKind::bad_input,
             path.string() + " is not a Tempera " + schema.title + ": it belongs to another program.");
    int version = pragma(db, "user_version");
    if (version > schema.version())
        fail(ErrorKind::bad_input, path.string() + " was written by a newer Tempera (" + schema.title
                                       + " version " + std::to_string(version) + ", this program knows "
                                       + std::to_string(schema.version()) + "). Update Tempera to open it.");
    if (version < 1) fail(ErrorKind::bad_input, path.string() + " holds no Tempera " + schema.title + ".");
}

void prepare_writer(SQLite::Database& db) {
    harden(db);
    db.exec("PRAGMA foreign_keys = ON");
    db.exec("PRAGMA synchronous = FULL");
    db.exec("PRAGMA journal_size_limit = 67108864");
}

void migrate(SQLite::Database& db, const Schema& schema, int from) {
    SQLite::Transaction transaction(db, SQLite::TransactionBehavior::EXCLUSIVE);
    for (int version = from; version < schema.version(); ++version)
        db.exec(schema.migrations[static_cast<std::size_t>(version)]);
    db.exec("PRAGMA user_version = " + std::to_string(schema.version()));
    transaction.commit();
}

void sync_folder(const fs::path& folder) {
    int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) fail_errno("Cannot open", folder, errno);
    int result = fsync(fd);
    int reason = errno;
    close(fd);
    if (result != 0) fail_errno("Cannot sync", folder, reason);
}

fs::path staging_name(const fs::path& path) {
    return path.string() + ".tmp-" + std::to_string(std::random_device{}());
}

/// The file appears with its schema complete or not at all, so no reader and no crash ever meets a half-made
/// one.
void create_database(const fs::path& path, const Schema& schema) {
    fs::path staging = staging_name(path);
    std::unique_ptr<SQLite::Database> db;
    try {
        db = std::make_unique<SQLite::Database>(
            staging.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, busy_timeout_ms);
        prepare_writer(*db);
        db->exec("PRAGMA application_id = " + std::to_string(schema.application_id));
        migrate(*db, schema, 0);
        db->exec("PRAGMA journal_mode = WAL");
        db.reset();
        if (rename(staging.c_str(), path.c_str()) != 0) fail_errno("Cannot create", path, errno);
    } catch (...) {
        std::error_code ignored;
        std::exception_ptr failure = std::current_exception();
        for (const char* suffix : {"", "-wal", "-shm", "-journal"})
            fs::remove(staging.string() + suffix, ignored);
        try {
            std::rethrow_exception(failure);
        } catch (const SQLite::Exception& error) {
            fail_sqlite(error, path, db.get());
        }
    }
    sync_folder(path.has_parent_path() ? path.parent_path() : fs::path("."));
}

/// A copy of the file as it was, whatever its WAL holds. An earlier copy of the same version is kept: it is
/// the older state.
void keep_backup(SQLite::Database& db, const fs::path& path, int version) {
    fs::path target = path.string() + ".before-v" + std::to_string(version + 1);
    if (fs::exists(target)) return;
    fs::path staging = staging_name(target);
    SQLite::Statement copy(db, "VACUUM INTO ?");
    copy.bind(1, staging.string());
    copy.exec();
    std::error_code error;
    fs::rename(staging, target, error);
    if (error) fail_errno("Cannot write", target, error.value());
}

bool is_empty_file(const fs::path& path) {
    struct stat status {};
    return stat(path.c_str(), &status) != 0 || status.st_size == 0;
}

/// SQLite would find out only half-way, and then names the wrong reason.
void require_writable_folder(const fs::path& path) {
    fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
    for (const fs::path& wanted : {folder, path}) {
        if (access(wanted.c_str(), W_OK) == 0 || (errno == ENOENT && wanted == path)) continue;
        if (errno == ENOENT) fail_errno("Cannot write in", folder, errno);
        fail(ErrorKind::io, "Cannot write " + wanted.string() + ": " + std::strerror(errno)
                                + ". Choose a folder that can be written, or only look at this one.");
    }
}

/// Percent-encodes what has a meaning in a URI file name.
std::string file_uri(const fs::path& path, const std::string& query) {
    std::string uri = "file:";
    for (char c : fs::absolute(path).string()) {
        if (c == '%' || c == '?' || c == '#') {
            constexpr const char* digits = "0123456789ABCDEF";
            uri += {'%', digits[(c >> 4) & 15], digits[c & 15]};
        } else {
            uri += c;
        }
    }
    return uri + "?" + query;
}

} // namespace

void fail_sqlite(const SQLite::Exception& error, const fs::path& path, SQLite::Database* db) {
    int system_error = db ? sqlite3_system_errno(db->getHandle()) : 0;
    bool full = error.getExtendedErrorCode() == SQLITE_IOERR_SHMSIZE || system_error == ENOSPC
                || system_error == EDQUOT;
    const std::string name = path.string();
    switch (error.getErrorCode()) {
    case SQLITE_FULL:
        full = true;
        break;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        fail(ErrorKind::bad_input,
             name + " is damaged or not a database (" + error.what() + "); restore it from a copy.");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        fail(ErrorKind::busy, name + " is in use by another program; close that and try again.");
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        fail(ErrorKind::io,
             "Cannot write " + name + ": the file or its folder is read-only. Choose another folder.");
    case SQLITE_NOMEM:
        fail(ErrorKind::io, "Cannot use " + name + ": out of memory.");
    case SQLITE_ERROR: // "no such table" and the like: the file does not hold what its version promises
        fail(ErrorKind::bad_input,
             name + " does not hold what it should (" + error.what() + "); restore it from a copy.");
    default:
        fail(ErrorKind::internal, "Cannot use " + name + ": " + error.what() + ".");
    }
    if (full) fail(ErrorKind::disk_full, "No space left on the disk of " + name + ". Free some space there.");
    std::string reason = system_error != 0 ? std::strerror(system_error) : error.what();
    fail(ErrorKind::io, "Cannot read or write " + name + ": " + reason + ".");
}

std::unique_ptr<SQLite::Database> open_for_writing(const fs::path& path, const Schema& schema) {
    require_writable_folder(path);
    if (is_empty_file(path)) create_database(path, schema);
    std::unique_ptr<SQLite::Database> db;
    try {
        db = std::make_unique<SQLite::Database>(path.string(), SQLite::OPEN_READWRITE, busy_timeout_ms);
        prepare_writer(*db);
        check_identity(*db, path, schema);
        if (db->execAndGet("PRAGMA journal_mode = WAL").getString() != "wal")
            fail(ErrorKind::unsupported,
                 path.string()
                     + " lies on a disk that does not support SQLite's WAL mode (a network "
                       "share?). Choose a folder on a local disk.");
        int version = pragma(*db, "user_version");
        if (version < schema.version()) {
            if (schema.backup_before_migration) keep_backup(*db, path, schema.version() - 1);
            migrate(*db, schema, version);
        }
        return db;
    } catch (const SQLite::Exception& error) {
        fail_sqlite(error, path, db.get());
    }
}

ReadConnection::ReadConnection(fs::path path, const Schema& schema)
    : path_(std::move(path)), schema_(schema) {}

SQLite::Database* ReadConnection::database() {
    if (frozen_ && stamp() != stamp_) {
        database_.reset();
        frozen_ = false;
    }
    if (database_) return database_.get();
    struct stat status {};
    if (stat(path_.c_str(), &status) != 0) {
        if (errno == ENOENT || errno == ENOTDIR) return nullptr;
        fail_errno("Cannot read", path_, errno);
    }
    if (status.st_size == 0) return nullptr;
    stamp_ = stamp();
    // Where no -shm file can be made (read-only disk) the ordinary way fails. Without a WAL the file can then
    // be taken as immutable; with one, the index of the WAL is kept in our own memory, which SQLite does in
    // exclusive mode without locks.
    if (!try_open(file_uri(path_, "mode=ro"), false)) {
        frozen_ = true;
        bool wal = !is_empty_file(path_.string() + "-wal");
        if (!try_open(file_uri(path_, wal ? "mode=ro&vfs=unix-none" : "mode=ro&immutable=1"), wal))
            fail(ErrorKind::io, "Cannot read " + path_.string()
                                    + ": its folder cannot be written and SQLite needs that here. "
                                      "Copy the folder to a local disk and open the copy.");
    }
    return database_.get();
}

bool ReadConnection::try_open(const std::string& uri, bool exclusive) {
    std::unique_ptr<SQLite::Database> db;
    try {
        db = std::make_unique<SQLite::Database>(uri, SQLite::OPEN_READONLY | SQLite::OPEN_URI,
                                                busy_timeout_ms);
        harden(*db);
        sqlite3_db_config(db->getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
        if (exclusive) db->exec("PRAGMA locking_mode = EXCLUSIVE");
        check_identity(*db, path_, schema_);
        schema_version_ = pragma(*db, "user_version");
    } catch (const SQLite::Exception& error) {
        int code = error.getErrorCode();
        if (code == SQLITE_CANTOPEN || code == SQLITE_READONLY) return false;
        fail_sqlite(error, path_, db.get());
    }
    database_ = std::move(db);
    ++generation_;
    return true;
}

std::int64_t ReadConnection::version() {
    return read<std::int64_t>(0, [&](SQLite::Database& db) {
        return (generation_ << 32) + db.execAndGet("PRAGMA data_version").getInt64();
    });
}

std::string ReadConnection::stamp() const {
    std::string text;
    for (const char* suffix : {"", "-wal"}) {
        struct stat status {};
        if (stat((path_.string() + suffix).c_str(), &status) != 0) continue;
        text += std::to_string(status.st_size) + " " + std::to_string(status.st_mtim.tv_sec) + "."
                + std::to_string(status.st_mtim.tv_nsec) + ";";
    }
    return text;
}

void bind_real(SQLite::Statement& statement, int index, double value) {
    if (std::isnan(value))
        statement.bind(index);
    else
        statement.bind(index, value);
}

double real_from(const SQLite::Column& column) {
    return column.isNull() ? std::numeric_limits<double>::quiet_NaN() : column.getDouble();
}

} // namespace tempera
