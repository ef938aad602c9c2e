#pragma once

#include "core/data/row_file.h"

#include <filesystem>
#include <string>
#include <vector>

namespace tempera {

/// One split of a data set: its files, in the order of their names.
struct DataSplit {
    std::string name; ///< "train", "test", "validation", "train_prefs" ...; "" where nothing names one
    std::vector<std::filesystem::path> files;
    std::uint64_t bytes = 0;
    /// What of it is not read, one sentence each: files of other formats, compressed ones, missing shards.
    std::vector<std::string> notes = {};
};

/// The splits that lie at `path`: a file is one split; in a folder every file's name says its split
/// ("train-00000-of-00002.parquet", "test_prefs-00000-of-00001.parquet", "validation.jsonl"), else the folder
/// it lies in does ("train/part-0.csv"); files that neither names make one split "". Where the same split is
/// there in several formats, Parquet counts, then JSON lines, JSON, CSV (the split's notes name the others).
/// Hidden files and folders, and JSON files that describe a data set or a model ("dataset_infos.json",
/// "config.json"), are left alone. Folders are searched however deep they lie, one that symbolic links lead
/// to again once; more than 20,000 of them are refused. Train comes first, then the other names sorted.
/// Throws Error(not_found, bad_input, io).
std::vector<DataSplit> find_data_splits(const std::filesystem::path& path);

/// What the text of a data field names: a path, and behind "#" a split of it
/// ("data/ultrafeedback#test_prefs").
struct DataPath {
    std::filesystem::path path;
    std::string split; ///< "" = not said
};
DataPath data_path_of(const std::string& text);

/// Whether the text of a data field is such a path and not a generator's name: it holds a "/" or ends in a
/// data file's extension.
bool names_data(const std::string& text);

/// The split of that name; where `wanted` is "" the one that goes with what it is for: the first of `usual`
/// ("train_prefs", "train") that is there, else the first split. Throws Error(not_found) naming the splits.
const DataSplit& choose_split(const std::vector<DataSplit>& splits, const std::string& wanted,
                              const std::vector<std::string>& usual, const std::string& source);

} // namespace tempera
