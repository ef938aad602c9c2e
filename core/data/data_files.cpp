#include "core/data/data_files.h"

#include "core/base/suggest.h"

#include <algorithm>
#include <cctype>
#include <map>

namespace fs = std::filesystem;

namespace tempera {

namespace {

constexpr int deepest_folder = 4;
constexpr std::size_t most_files = 100000;

bool is_digits(std::string_view text) {
    return !text.empty()
           && std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c); });
}

/// "train-00000-of-00002" -> "train"; "part-0" -> "part"; "train_prefs" stays.
std::string without_shard(std::string stem) {
    auto drop_number = [&](std::string_view separator) {
        auto at = stem.rfind(separator);
        if (at == stem.npos || at == 0 || !is_digits(std::string_view(stem).substr(at + separator.size())))
            return false;
        stem.resize(at);
        return true;
    };
    if (drop_number("-of-"))
        drop_number("-");
    else if (!drop_number("-"))
        drop_number("_");
    return stem;
}

/// Whether a name is that of a split, as the hub has them: train, test, validation (val, dev, eval), alone or
/// with a word behind "_" or "-" ("train_sft").
bool names_a_split(const std::string& name) {
    for (std::string_view word : {"train", "test", "validation", "valid", "val", "dev", "eval"})
        if (name.starts_with(word)
            && (name.size() == word.size() || name[word.size()] == '_' || name[word.size()] == '-'
                || name[word.size()] == '.'))
            return true;
    return false;
}

bool describes(const fs::path& file) {
    const std::string name = file.filename().string();
    for (const char* known :
         {"dataset_info", "dataset_infos", "dataset_dict", "state", "config", "tokenizer", "tokenizer_config",
          "special_tokens_map", "generation_config", "vocab", "adapter_config", "package", "metadata"})
        if (name == std::string(known) + ".json") return true;
    return name.ends_with(".index.json");
}

std::string split_of_file(const fs::path& file, const fs::path& root) {
    std::string own = without_shard(file.stem().string());
    if (names_a_split(own)) return own;
    for (fs::path folder = file.parent_path(); folder != root && folder.has_relative_path();
         folder = folder.parent_path())
        if (names_a_split(folder.filename().string())) return folder.filename().string();
    return "";
}

void collect(const fs::path& folder, int depth, std::vector<fs::path>& files) {
    for (const auto& entry : fs::directory_iterator(folder)) {
        const std::string name = entry.path().filename().string();
        if (name.starts_with('.') || name.starts_with('_')) continue;
        if (entry.is_directory()) {
            if (depth < deepest_folder) collect(entry.path(), depth + 1, files);
        } else if (entry.is_regular_file() && data_format_of(entry.path()) && !describes(entry.path())) {
            if (files.size() == most_files)
                fail(ErrorKind::bad_input,
                     folder.string() + " holds more than " + std::to_string(most_files) + " data files.");
            files.push_back(entry.path());
        }
    }
}

int preference(DataFormat format) {
    switch (format) {
    case DataFormat::parquet:
        return 0;
    case DataFormat::jsonl:
        return 1;
    case DataFormat::json:
        return 2;
    case DataFormat::csv:
        return 3;
    }
    return 4;
}

/// Only the files of the format that counts.
void keep_one_format(std::vector<fs::path>& files) {
    auto rank = [](const fs::path& file) { return preference(*data_format_of(file)); };
    int best = rank(
        *std::min_element(files.begin(), files.end(), [&](auto& a, auto& b) { return rank(a) < rank(b); }));
    std::erase_if(files, [&](const fs::path& file) { return rank(file) != best; });
    std::sort(files.begin(), files.end());
}

DataSplit made(const std::string& name, std::vector<fs::path> files) {
    DataSplit split{name, std::move(files), 0};
    for (const auto& file : split.files)
        split.bytes += fs::file_size(file);
    return split;
}

std::vector<DataSplit> splits_of_folder(const fs::path& folder) {
    std::vector<fs::path> files;
    collect(folder, 0, files);
    if (files.empty())
        fail(ErrorKind::bad_input,
             folder.string() + " holds no data file: .jsonl, .json, .csv, .tsv or .parquet is expected.");
    std::map<std::string, std::vector<fs::path>> by_name;
    for (auto& file : files)
        by_name[split_of_file(file, folder)].push_back(std::move(file));
    std::vector<DataSplit> splits;
    for (auto& [name, of_split] : by_name) {
        keep_one_format(of_split);
        splits.push_back(made(name, std::move(of_split)));
    }
    std::stable_partition(splits.begin(), splits.end(),
                          [](const DataSplit& split) { return split.name.starts_with("train"); });
    return splits;
}

} // namespace

std::vector<DataSplit> find_data_splits(const fs::path& path) {
    try {
        auto status = fs::status(path);
        if (!fs::exists(status))
            fail(ErrorKind::not_found, "There is no file or folder " + path.string() + ".");
        if (fs::is_directory(status)) return splits_of_folder(fs::absolute(path / "").parent_path());
        if (!data_format_of(path))
            fail(ErrorKind::bad_input,
                 path.string() + " is no data file: .jsonl, .json, .csv, .tsv or .parquet is expected.");
        std::string own = without_shard(path.stem().string());
        return {made(names_a_split(own) ? own : "", {path})};
    } catch (const fs::filesystem_error& error) {
        fail(ErrorKind::io, "Cannot read " + error.path1().string() + ": " + error.code().message() + ".");
    }
}

DataPath data_path_of(const std::string& text) {
    auto at = text.rfind('#');
    std::error_code ignored;
    if (at == text.npos || at == 0 || text.find('/', at) != text.npos || fs::exists(text, ignored))
        return {text, ""};
    return {text.substr(0, at), text.substr(at + 1)};
}

bool names_data(const std::string& text) {
    return text.find('/') != text.npos || data_format_of(text)
           || data_format_of(text.substr(0, text.rfind('#')));
}

const DataSplit& choose_split(const std::vector<DataSplit>& splits, const std::string& wanted,
                              const std::vector<std::string>& usual, const std::string& source) {
    auto named = [&](const std::string& name) {
        return std::find_if(splits.begin(), splits.end(), [&](auto& split) { return split.name == name; });
    };
    if (wanted.empty()) {
        for (const auto& name : usual)
            if (auto found = named(name); found != splits.end()) return *found;
        return splits.front();
    }
    if (auto found = named(wanted); found != splits.end()) return *found;
    std::string list;
    std::vector<std::string> names;
    for (const auto& split : splits) {
        names.push_back(split.name);
        list += (list.empty() ? "" : ", ") + (split.name.empty() ? "one without a name" : split.name);
    }
    fail(ErrorKind::not_found,
         source + " has no split \"" + wanted + "\" (it has: " + list + ")." + did_you_mean(wanted, names));
}

} // namespace tempera
