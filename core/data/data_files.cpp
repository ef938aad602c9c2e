#include "core/data/data_files.h"

#include "core/base/counted.h"
#include "core/base/joined.h"
#include "core/base/suggest.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

namespace fs = std::filesystem;

namespace tempera {

namespace {

constexpr std::size_t most_files = 100000;
constexpr std::size_t most_folders = 20000; ///< more are a disk, not a data set

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

/// Whether it is a data file that was packed ("rows.jsonl.gz"), which is not read.
bool is_packed_data(const fs::path& file) {
    const std::string end = file.extension().string();
    for (const char* known : {".gz", ".zst", ".bz2", ".xz", ".zip", ".lz4"})
        if (end == known) return data_format_of(file.stem()).has_value();
    return false;
}

std::string names_of(const std::vector<fs::path>& files) {
    return joined_first(files, 3, [](const fs::path& file) { return file.filename().string(); });
}

/// What lies in a folder and those below it.
struct FoundFiles {
    fs::path root;
    std::vector<fs::path> data, packed;
    std::set<fs::path> folders; ///< that were walked, by their true paths: links lead to none of them again
};

void collect(const fs::path& folder, FoundFiles& found) {
    if (!found.folders.insert(fs::canonical(folder)).second) return;
    if (found.folders.size() > most_folders)
        fail(ErrorKind::bad_input, found.root.string() + " holds more than " + std::to_string(most_folders)
                                       + " folders: choose the one that the data set is in.");
    std::vector<fs::directory_entry> entries;
    for (const auto& entry : fs::directory_iterator(folder))
        entries.push_back(entry);
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { // links come last
        return std::pair(a.is_symlink(), a.path()) < std::pair(b.is_symlink(), b.path());
    });
    for (const auto& entry : entries) {
        const std::string name = entry.path().filename().string();
        if (name.starts_with('.') || name.starts_with('_')) continue;
        std::error_code nowhere; // a link that leads nowhere
        if (entry.is_directory(nowhere)) {
            collect(entry.path(), found);
        } else if (entry.is_regular_file(nowhere)) {
            const bool data = data_format_of(entry.path()) && !describes(entry.path());
            if (!data && !is_packed_data(entry.path())) continue;
            auto& files = data ? found.data : found.packed;
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

/// Keeps the files of the format that counts; the others go into a note.
void keep_one_format(DataSplit& split) {
    auto& files = split.files;
    auto rank = [](const fs::path& file) { return preference(*data_format_of(file)); };
    std::sort(files.begin(), files.end());
    std::stable_sort(files.begin(), files.end(), [&](auto& a, auto& b) { return rank(a) < rank(b); });
    auto other = std::find_if(files.begin(), files.end(),
                              [&](auto& file) { return rank(file) != rank(files.front()); });
    if (other == files.end()) return;
    const std::vector<fs::path> others(other, files.end());
    files.erase(other, files.end());
    split.notes.push_back("Of several formats only " + std::string(name_of(*data_format_of(files.front())))
                          + " is read; " + counted(others.size(), "file")
                          + (others.size() == 1 ? " is" : " are") + " left out: " + names_of(others) + ".");
}

/// Notes the shards that "-of-" says there are and that are not.
void note_missing_shards(DataSplit& split) {
    std::map<std::pair<std::string, std::string>, std::set<std::string>> shards; // (before, total): numbers
    for (const auto& file : split.files) {
        const std::string stem = file.stem().string();
        const auto of = stem.rfind("-of-"), dash = of == stem.npos ? of : stem.rfind('-', of - 1);
        if (of == stem.npos || of == 0 || dash == stem.npos) continue;
        const std::string number = stem.substr(dash + 1, of - dash - 1), total = stem.substr(of + 4);
        if (!is_digits(number) || !is_digits(total) || total.size() > 9 || number.size() > 9) continue;
        shards[{(file.parent_path() / stem.substr(0, dash)).string(), total}].insert(number);
    }
    for (const auto& [kind, numbers] : shards) {
        const auto& [before, total] = kind;
        const std::size_t wanted = std::stoul(total);
        if (numbers.size() >= wanted) continue;
        const std::size_t digits = numbers.begin()->size(), lost = wanted - numbers.size();
        std::vector<std::string> missing; // the first ones
        for (std::size_t i = 0; i < wanted && missing.size() < 3; ++i) {
            std::string number = std::to_string(i);
            number.insert(0, digits > number.size() ? digits - number.size() : 0, '0');
            if (!numbers.contains(number))
                missing.push_back(fs::path(before).filename().string() + "-" + number + "-of-" + total);
        }
        split.notes.push_back("Only " + std::to_string(numbers.size()) + " of " + counted(wanted, "shard")
                              + " are there; missing: " + joined(missing)
                              + (lost > 3 ? " and " + std::to_string(lost - 3) + " more." : "."));
    }
}

DataSplit made(const std::string& name, std::vector<fs::path> files) {
    DataSplit split{name, std::move(files)};
    keep_one_format(split);
    for (const auto& file : split.files)
        split.bytes += fs::file_size(file);
    return split;
}

std::string note_of_packed(const std::vector<fs::path>& packed) {
    return counted(packed.size(), "packed file") + (packed.size() == 1 ? " is" : " are")
           + " left out: " + names_of(packed) + "; unpack to have the rows read.";
}

std::vector<DataSplit> splits_of_folder(const fs::path& folder) {
    FoundFiles found{folder, {}, {}, {}};
    collect(folder, found);
    if (found.data.empty())
        fail(ErrorKind::bad_input,
             folder.string() + " holds no data file: .jsonl, .json, .csv, .tsv or .parquet is expected."
                 + (found.packed.empty() ? "" : " " + note_of_packed(found.packed)));
    std::map<std::string, std::vector<fs::path>> by_name, packed;
    for (auto& file : found.data)
        by_name[split_of_file(file, folder)].push_back(std::move(file));
    std::vector<fs::path> packed_alone; // of splits that have no other file: every split tells of them
    for (const auto& file : found.packed) {
        const std::string name = split_of_file(file.parent_path() / file.stem(), folder);
        (by_name.contains(name) ? packed[name] : packed_alone).push_back(file);
    }
    std::vector<DataSplit> splits;
    for (auto& [name, of_split] : by_name) {
        splits.push_back(made(name, std::move(of_split)));
        note_missing_shards(splits.back());
        auto left_out = packed[name];
        left_out.insert(left_out.end(), packed_alone.begin(), packed_alone.end());
        if (!left_out.empty()) splits.back().notes.push_back(note_of_packed(left_out));
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
                 path.string() + " is no data file: .jsonl, .json, .csv, .tsv or .parquet is expected."
                     + (is_packed_data(path) ? " It is packed: unpack it first." : ""));
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
    std::vector<std::string> names;
    for (const auto& split : splits)
        names.push_back(split.name);
    auto words = [](const std::string& name) { return name.empty() ? "one without a name" : name; };
    fail(ErrorKind::not_found, source + " has no split \"" + wanted + "\" (it has: "
                                   + joined(names, ", ", words) + ")." + did_you_mean(wanted, names));
}

} // namespace tempera
