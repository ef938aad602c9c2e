#include "core/format/model_folder.h"

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/format/tensor_type.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace fs = std::filesystem;

namespace tempera {

namespace {

bool is_plain_name(std::string_view name) {
    if (name.empty() || name.size() > 255 || name == "." || name == "..") return false;
    return std::none_of(name.begin(), name.end(), [](char c) {
        return c == '/' || c == '\\' || c == ':' || static_cast<unsigned char>(c) < 0x20;
    });
}

bool lies_in(const fs::path& path, const fs::path& folder) {
    auto [rest, unused] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
    return rest == folder.end();
}

} // namespace

bool model_folder_has(const fs::path& folder, std::string_view name) {
    std::error_code ignored;
    return fs::exists(fs::symlink_status(folder / name, ignored));
}

fs::path file_in_model_folder(const fs::path& folder, std::string_view name) {
    if (!is_plain_name(name))
        fail(ErrorKind::bad_input, folder.string() + " refers to the file " + in_quotes(name)
                                       + ", which is not a plain file name inside that folder.");
    std::error_code error;
    fs::path root = fs::canonical(folder, error);
    if (error) fail_errno("Cannot read", folder, error.value());
    fs::path file = fs::canonical(root / name, error);
    if (error) fail_errno("Cannot read", folder / name, error.value());
    if (lies_in(file, root)) return file;
    bool in_hub_cache = root.parent_path().filename() == "snapshots";
    if (in_hub_cache && lies_in(file, root.parent_path().parent_path() / "blobs")) return file;
    fail(ErrorKind::bad_input,
         (folder / name).string()
             + " is a link to a file outside of its folder; put a copy of the file there.");
}

} // namespace tempera
