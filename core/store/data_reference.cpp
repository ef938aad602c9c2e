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

} // namespace

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
    const bool synthetic = std::find(names.begin(), names.end(), "synthetic.jsonl") != names.end();
    std::string wanted = slash != std::string::npos ? reference.substr(slash + 1)
                         : synthetic                ? "synthetic.jsonl"
                                                    : "pairs.jsonl";
    if (wanted.empty() || wanted.find('/') != std::string::npos)
        fail(ErrorKind::bad_input,
             "\"" + reference + "\" is no data reference: name the file behind one \"/\".");
    if (slash == std::string::npos && names.size() == 1) wanted = names.front();
    if (std::find(names.begin(), names.end(), wanted) == names.end())
        fail(ErrorKind::not_found, run + " has left no " + wanted + " (there are: " + joined(names) + ")."
                                       + did_you_mean(wanted, names));
    return folder / wanted;
}

} // namespace tempera
