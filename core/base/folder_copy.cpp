#include "core/base/folder_copy.h"

#include "core/base/error.h"
#include "core/base/files.h"

#include <cerrno>
#include <fstream>
#include <vector>

namespace fs = std::filesystem;

namespace tempera {

namespace {

std::string gigabytes(std::uint64_t bytes) {
    const auto tenths = (bytes + 50'000'000) / 100'000'000;
    return tenths == 0 ? std::to_string((bytes + 500'000) / 1'000'000) + " MB"
                       : std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " GB";
}

struct Entry {
    fs::path path; ///< below the source
    std::uint64_t bytes = 0;
};

std::vector<Entry> files_of(const fs::path& source, std::uint64_t& total) {
    std::vector<Entry> files;
    std::error_code error;
    for (fs::recursive_directory_iterator entry(source, error), end; !error && entry != end;
         entry.increment(error)) {
        if (!entry->is_regular_file(error)) continue;
        files.push_back({entry->path().lexically_relative(source), entry->file_size(error)});
        total += files.back().bytes;
    }
    if (error) fail_errno("Cannot read", source, error.value());
    return files;
}

void require_target(const fs::path& source, const fs::path& target) {
    std::error_code ignored;
    if (fs::exists(target, ignored) && !(fs::is_directory(target, ignored) && fs::is_empty(target, ignored)))
        fail(ErrorKind::bad_input,
             target.string() + " exists already and is not an empty folder: name another one.");
    const fs::path inside =
        fs::weakly_canonical(target, ignored).lexically_relative(fs::weakly_canonical(source, ignored));
    if (!inside.empty() && *inside.begin() != "..")
        fail(ErrorKind::bad_input,
             target.string() + " lies within " + source.string() + ", which is copied: name another folder.");
}

} // namespace

void require_space(const fs::path& folder, std::uint64_t bytes, const std::string& what) {
    std::error_code error;
    fs::path place = fs::absolute(folder, error);
    while (place.has_relative_path() && !fs::exists(place, error))
        place = place.parent_path();
    const fs::space_info space = fs::space(place, error);
    if (error || space.available >= bytes) return; // a file system that does not tell: writing will
    fail(ErrorKind::disk_full, what + " needs " + gigabytes(bytes) + ", but the disk of " + place.string()
                                   + " has " + gigabytes(space.available)
                                   + " free: free some, or choose a folder on another disk.");
}

void copy_folder(const fs::path& source, const fs::path& target, const CopyProgress& progress,
                 const StopToken& stop) {
    require_target(source, target);
    std::uint64_t total = 0, done = 0;
    const std::vector<Entry> files = files_of(source, total);
    require_space(target, total, "The copy of " + source.string());
    StagedFolder staged(target);
    std::vector<char> buffer(1u << 20);
    for (const Entry& file : files) {
        make_folders((staged.path() / file.path).parent_path());
        std::ifstream in(source / file.path, std::ios::binary);
        if (!in) fail_errno("Cannot read", source / file.path, errno);
        StagedFile out(staged.path() / file.path);
        while (in.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || in.gcount() > 0) {
            if (stop) fail(ErrorKind::stopped, "Stopped; nothing was kept of the copy.");
            out.write({buffer.data(), static_cast<std::size_t>(in.gcount())});
            done += static_cast<std::uint64_t>(in.gcount());
            if (progress) progress(done, total);
        }
        if (in.bad()) fail_errno("Cannot read", source / file.path, EIO);
        out.commit();
    }
    staged.commit();
}

} // namespace tempera
