#include "core/store/reply_store.h"

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/resources.h"
#include "core/store/database.h"
#include "core/store/records.h"
#include "core/store/run_folder.h"
#include "core/text/utf8.h"

#include <cerrno>
#include <fcntl.h>
#include <mutex>
#include <sys/file.h>
#include <unistd.h>

namespace fs = std::filesystem;

namespace tempera {

namespace {

constexpr const char* replies_v1 = R"sql(
CREATE TABLE reply (
    key TEXT PRIMARY KEY NOT NULL,    -- SHA-256 of endpoint, model, settings and conversation
    asked TEXT NOT NULL,              -- endpoint, model and style, for people
    time_ms INTEGER NOT NULL,
    whole INTEGER NOT NULL,           -- 0 = is asked again
    text TEXT NOT NULL,               -- as it came, at most 64 KiB
    problem TEXT NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    cost REAL
) WITHOUT ROWID;
)sql";

const Schema& replies_schema() {
    static const Schema schema{"store of replies", 0x54504a31, {replies_v1}}; // "TPJ1"
    return schema;
}

/// Waits for its turn at the lock file.
class Turn {
public:
    Turn(int fd, const fs::path& path) : fd_(fd) {
        while (flock(fd_, LOCK_EX) != 0)
            if (errno != EINTR) fail_errno("Cannot lock", path, errno);
    }
    ~Turn() { flock(fd_, LOCK_UN); }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

private:
    int fd_;
};

} // namespace

struct ReplyStore::State {
    explicit State(fs::path file) : path(std::move(file)) {
        make_folders(path.parent_path());
        const fs::path lock = path.string() + ".lock";
        fd = open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        if (fd < 0) fail_errno("Cannot write", lock, errno);
        try {
            const Turn turn(fd, path);
            database = open_for_writing(path, replies_schema());
        } catch (...) {
            close(fd);
            throw;
        }
    }
    ~State() {
        flock(fd, LOCK_EX); // closing may checkpoint
        database.reset();
        close(fd);
    }
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    /// `body(database)` alone with the file.
    template <class Body>
    auto alone(Body body) {
        const std::lock_guard guard(mutex);
        const Turn turn(fd, path);
        try {
            return body(*database);
        } catch (const SQLite::Exception& error) {
            fail_sqlite(error, path, database.get());
        }
    }

    fs::path path;
    int fd = -1;
    std::mutex mutex;
    std::unique_ptr<SQLite::Database> database;
};

ReplyStore::ReplyStore(fs::path path) : state_(std::make_unique<State>(std::move(path))) {}
ReplyStore::~ReplyStore() = default;

std::optional<EndpointReply> ReplyStore::find(const std::string& key) {
    return state_->alone([&](SQLite::Database& db) -> std::optional<EndpointReply> {
        SQLite::Statement row(db, "SELECT text, prompt_tokens, completion_tokens, cost FROM reply "
                                  "WHERE key = ? AND whole = 1");
        row.bind(1, key);
        if (!row.executeStep()) return std::nullopt;
        EndpointReply reply;
        reply.whole = true;
        reply.text = row.getColumn(0).getString();
        reply.prompt_tokens = row.getColumn(1).getInt64();
        reply.completion_tokens = row.getColumn(2).getInt64();
        reply.cost = real_from(row.getColumn(3));
        return reply;
    });
}

void ReplyStore::keep(const std::string& key, const std::string& asked, const EndpointReply& reply) {
    state_->alone([&](SQLite::Database& db) {
        SQLite::Statement row(db, "INSERT INTO reply VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO "
                                  "UPDATE SET asked = excluded.asked, time_ms = excluded.time_ms, whole = "
                                  "excluded.whole, text = excluded.text, problem = excluded.problem, "
                                  "prompt_tokens = excluded.prompt_tokens, completion_tokens = "
                                  "excluded.completion_tokens, cost = excluded.cost WHERE reply.whole = 0");
        row.bind(1, key);
        row.bind(2, asked);
        row.bind(3, unix_time_ms());
        row.bind(4, reply.whole ? 1 : 0);
        row.bind(5, reply.text.substr(0, longest_text));
        row.bind(6, reply.problem);
        row.bind(7, reply.prompt_tokens);
        row.bind(8, reply.completion_tokens);
        bind_real(row, 9, reply.cost);
        row.exec();
    });
}

ReplyStore::Counts ReplyStore::counts() {
    return state_->alone([](SQLite::Database& db) {
        SQLite::Statement row(db, "SELECT count(*) FILTER (WHERE whole = 1), count(*) FILTER (WHERE whole = "
                                  "0) FROM reply");
        row.executeStep();
        return Counts{row.getColumn(0).getInt64(), row.getColumn(1).getInt64()};
    });
}

fs::path judge_replies_file() {
    return cache_folder() / "judge.db";
}

} // namespace tempera
