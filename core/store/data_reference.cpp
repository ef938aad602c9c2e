#include "core/store/data_reference.h"

#include "core/base/error.h"
#include "core/base/joined.h"
#include "core/base/suggest.h"
#include "core/data/data_files.h"
#include "core/recipe/field.h"

#include <algorithm>

namespace fs = std::filesystem;

namespace tempera {

namespace {

/// Names of the .jsonl files in a folder, sorted; none where there is no such folder.
std::vector<std::string> data_files(const fs::path& folder) {
    std::vector<std::string> names;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(folder, ignored))
        if (entry.is_regular_file(ignored) && entry.path().extension() == ".jsonl")
            names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

/// What a reference without a file means.
std::string usual_file(const std::vector<std::string>& names) {
    const bool synthetic = std::find(names.begin(), names.end(), "synthetic.jsonl") != names.end();
    return names.size() == 1 ? names.front() : synthetic ? "synthetic.jsonl" : "pairs.jsonl";
}

} // namespace

std::vector<fs::path> left_data(const fs::path& run_folder) {
    const fs::path folder = run_folder / "artifacts";
    std::vector<std::string> names = data_files(folder);
    std::erase_if(names, [](const std::string& name) { return name.starts_with('_'); });
    const std::string usual = usual_file(names);
    std::stable_partition(names.begin(), names.end(), [&](const auto& name) { return name == usual; });
    std::vector<fs::path> files;
    for (const auto& name : names)
        files.push_back(folder / name);
    return files;
}

std::optional<RunRecord> referred_data_run(const std::string& reference, const ModelScope& scope) {
    if (!names_a_run(reference)) return std::nullopt;
    return referred_run(reference.substr(0, reference.find('/')), scope);
}

fs::path resolve_data(const std::string& reference, const ModelScope& scope) {
    if (auto repository = referred_repository(reference, HubKind::data_set)) {
        const std::string folder = resolve_repository(*repository, scope.hub).string(),
                          split = data_path_of(reference).split;
        return split.empty() ? folder : folder + "#" + split;
    }
    auto record = referred_data_run(reference, scope);
    if (!record) return reference;
    const fs::path folder = scope.workspace->run_folder(record->id) / "artifacts";
    const auto names = data_files(folder);
    const std::string run = "Run " + record->id + " (" + name_of(record->status) + ")";
    if (names.empty())
        fail(ErrorKind::not_found,
             run + " has left no data in its folder; let a run of kind pairs or synthetic finish first.");
    const auto slash = reference.find('/');
    const std::string wanted = slash != std::string::npos ? reference.substr(slash + 1) : usual_file(names);
    if (wanted.empty() || wanted.find('/') != std::string::npos)
        fail(ErrorKind::bad_input,
             "\"" + reference + "\" is no data reference: name the file behind one \"/\".");
    if (std::find(names.begin(), names.end(), wanted) == names.end())
        fail(ErrorKind::not_found, run + " has left no " + wanted + " (there are: " + joined(names) + ")."
                                       + did_you_mean(wanted, names));
    return folder / wanted;
}

} // namespace tempera
