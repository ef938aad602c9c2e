#include "core/store/run_copy.h"

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/store/schema.h"

namespace fs = std::filesystem;

namespace tempera {

namespace {

void link_or_copy(const fs::path& from, const fs::path& to) {
    std::error_code error;
    fs::create_hard_link(from, to, error);
    if (error) fs::copy_file(from, to, error);
    if (error) fail_errno("Cannot copy to", to, error.value());
}

void copy_folder(const fs::path& from, const fs::path& to) {
    StagedFolder staged(to);
    for (const auto& entry : fs::recursive_directory_iterator(from)) {
        fs::path target = staged.path() / fs::relative(entry.path(), from);
        if (entry.is_directory())
            fs::create_directories(target);
        else if (entry.is_regular_file())
            link_or_copy(entry.path(), target);
    }
    staged.commit();
}

} // namespace

void copy_run_results(const fs::path& from, const fs::path& to) {
    try {
        for (const char* part : {"model", "artifacts"})
            if (fs::is_directory(from / part)) copy_folder(from / part, to / part);
    } catch (const fs::filesystem_error& error) {
        fail_errno("Cannot copy to", to, error.code().value());
    }
    fs::path staging = to / "run.db.tmp-copy";
    std::error_code error;
    fs::remove(staging, error);
    ReadConnection source(from / "run.db", run_schema());
    source.read(0, [&](SQLite::Database& db) {
        SQLite::Statement copy(db, "VACUUM INTO ?");
        copy.bind(1, staging.string());
        return copy.exec();
    });
    for (const char* suffix : {"", "-wal", "-shm"})
        fs::remove(to / (std::string("run.db") + suffix), error);
    fs::rename(staging, to / "run.db", error);
    if (error) fail_errno("Cannot write", to / "run.db", error.value());
}

} // namespace tempera
