#pragma once

#include "core/format/file_descriptor.h"
#include "core/format/safetensors_header.h"

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tempera {

/// Weights of a model or adapter, in one safetensors file or in shards with an index. Opening reads and
/// checks all headers (see parse_safetensors_header) and no tensor. Reading is const and may be done from
/// several threads.
class SafetensorsReader {
public:
    /// `path`: a .safetensors file, a model.safetensors.index.json, or a folder with model.safetensors,
    /// model.safetensors.index.json or adapter_model.safetensors (the first of them that exists).
    /// Throws Error(not_found, io), Error(bad_input) for a broken file, an index that names a file outside of
    /// the folder, a tensor that two shards hold or none holds, Error(unsupported) for a folder that has
    /// other weights only (pickle, GGUF).
    static SafetensorsReader open(const std::filesystem::path& path);

    /// In file order: shard by shard, each by the place of its data.
    const std::vector<StoredTensor>& tensors() const { return tensors_; }
    bool contains(std::string_view name) const { return find(name) != nullptr; }
    /// nullptr where there is none.
    const StoredTensor* find(std::string_view name) const;
    /// Throws Error(bad_input) naming the tensor and the file where there is none.
    const StoredTensor& at(std::string_view name) const;

    /// All elements as float, row-major. `into` must have exactly elements() of them. F16 and BF16 are
    /// converted on the way; NaN and infinity pass. Throws Error(unsupported) for other types, Error(io)
    /// where the file was cut or changed.
    void read_f32(std::string_view name, std::span<float> into) const;
    /// The stored bytes (little-endian). `into` must have exactly bytes() of them.
    void read_bytes(std::string_view name, std::span<std::byte> into) const;

    /// __metadata__ of the first file.
    const std::map<std::string, std::string>& metadata() const { return metadata_; }
    /// The files it consists of, without the index.
    std::vector<std::filesystem::path> files() const;
    /// Their sizes on disk together.
    std::uint64_t file_bytes() const;
    /// Elements of all tensors.
    std::int64_t element_count() const;

private:
    SafetensorsReader() = default;
    void add_file(const std::filesystem::path& path);
    void add_shards(const std::filesystem::path& index);
    std::string describe(const StoredTensor& tensor) const;

    struct Source {
        InputFile file;
        std::uint64_t data_begin;
    };
    std::vector<Source> sources_;
    std::vector<StoredTensor> tensors_;
    std::unordered_map<std::string, std::size_t> index_;
    std::map<std::string, std::string> metadata_;
};

struct SafetensorsOptions {
    std::string stem = "model"; ///< "adapter_model" for an adapter
    std::uint64_t max_shard_bytes =
        5'000'000'000; ///< a larger model becomes shards with an index, as transformers splits
    std::map<std::string, std::string> metadata = {{"format", "pt"}};
};

/// Writes tensors into `folder` one by one, in any order, so that no second copy of the model is held. Disk
/// space is reserved first. Files appear under their names in finish() only, synced to disk; without it the
/// destructor removes them. One file is replaced atomically; for shards use a StagedFolder where a crash must
/// not mix old and new ones. The bytes are those of the Python library's save_file.
class SafetensorsWriter {
public:
    /// Throws Error(io, disk_full), Error(internal) for a name given twice.
    SafetensorsWriter(const std::filesystem::path& folder, std::vector<TensorSpec> tensors,
                      SafetensorsOptions options = {});
    ~SafetensorsWriter();
    SafetensorsWriter(const SafetensorsWriter&) = delete;
    SafetensorsWriter& operator=(const SafetensorsWriter&) = delete;

    /// All elements of tensor `name`, converted to its type (F32, F16, BF16; to nearest, ties to even).
    void write_f32(std::string_view name, std::span<const float> values);
    /// All bytes of tensor `name`, of whatever type.
    void write_bytes(std::string_view name, std::span<const std::byte> bytes);

    /// Throws Error(internal) where a tensor was not written, Error(io, disk_full). Removes files of the same
    /// stem that the new set does not have. Returns the number of bytes of all files.
    std::uint64_t finish();

private:
    struct Shard {
        std::string file_name;
        std::filesystem::path staging;
        FileDescriptor fd;
        std::uint64_t data_begin = 0;
        std::uint64_t size = 0;
    };
    void split_into_shards(const std::vector<TensorSpec>& tensors);
    void open_shard(Shard& shard, std::vector<StoredTensor> tensors);
    const StoredTensor& start(std::string_view name);
    void write_at(const StoredTensor& tensor, std::uint64_t offset, std::span<const std::byte> bytes);
    std::string index_json() const;
    void remove_stale_files() const;

    std::filesystem::path folder_;
    SafetensorsOptions options_;
    std::vector<Shard> shards_;
    struct Entry {
        StoredTensor tensor;
        bool written = false;
    };
    std::map<std::string, Entry, std::less<>> entries_;
};

} // namespace tempera
