#include "core/base/kept_files.h"

#include "core/base/files.h"

#include <algorithm>
#include <vector>

namespace fs = std::filesystem;

namespace tempera {

namespace {

void prune_kept(const fs::path& newest, std::uintmax_t most_bytes) {
    struct Entry {
        fs::file_time_type used;
        std::uintmax_t bytes = 0;
        fs::path path;
    };
    std::error_code error;
    std::vector<Entry> entries;
    for (fs::directory_iterator at(newest.parent_path(), error), end; !error && at != end;
         at.increment(error)) {
        std::error_code gone;
        Entry entry{at->last_write_time(gone), at->file_size(gone), at->path()};
        if (!gone && entry.path.extension() == newest.extension()) entries.push_back(std::move(entry));
    }
    std::ranges::sort(entries, std::greater(), &Entry::used);
    std::uintmax_t total = 0;
    for (const Entry& entry : entries) {
        total += entry.bytes;
        if (total > most_bytes && entry.path != newest) fs::remove(entry.path, error);
    }
}

} // namespace

void mark_used(const fs::path& file) {
    std::error_code ignored;
    fs::last_write_time(file, fs::file_time_type::clock::now(), ignored);
}

void keep_file(const fs::path& file, std::string_view content, std::uintmax_t most_bytes) {
    make_folders(file.parent_path());
    write_file_atomic(file, content);
    prune_kept(file, most_bytes);
}

} // namespace tempera
