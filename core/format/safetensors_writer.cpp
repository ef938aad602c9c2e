#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/json.h"
#include "core/format/float_convert.h"
#include "core/format/safetensors.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <random>
#include <unistd.h>

namespace fs = std::filesystem;

namespace tempera {

namespace {

void write_all_at(int fd, std::uint64_t offset, std::span<const std::byte> bytes, const fs::path& path) {
    while (!bytes.empty()) {
        ssize_t count = pwrite(fd, bytes.data(), std::min<std::size_t>(bytes.size(), 1u << 30),
                               static_cast<off_t>(offset));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail_errno("Cannot write", path, errno);
        bytes = bytes.subspan(static_cast<std::size_t>(count));
        offset += static_cast<std::uint64_t>(count);
    }
}

/// Takes the disk space now, so that a full disk shows before the work is done. Not every file system can.
void reserve(int fd, std::uint64_t bytes, const fs::path& path) {
    if (fallocate(fd, 0, 0, static_cast<off_t>(bytes)) == 0) return;
    if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG) fail_errno("Cannot write", path, errno);
    if (ftruncate(fd, static_cast<off_t>(bytes)) != 0) fail_errno("Cannot write", path, errno);
}

std::uint64_t bytes_of(const TensorSpec& spec) {
    std::uint64_t bits = bits_of(spec.type);
    for (std::int64_t dimension : spec.shape)
        if (dimension < 0 || __builtin_mul_overflow(bits, static_cast<std::uint64_t>(dimension), &bits))
            fail(ErrorKind::internal,
                 "Tensor " + in_quotes(spec.name) + " cannot have the shape " + shape_text(spec.shape) + ".");
    return bits / 8;
}

std::string shard_name(const std::string& stem, std::size_t number, std::size_t count) {
    if (count == 1) return stem + ".safetensors";
    char numbers[48];
    std::snprintf(numbers, sizeof numbers, "-%05zu-of-%05zu", number, count);
    return stem + numbers + ".safetensors";
}

} // namespace

SafetensorsWriter::SafetensorsWriter(const fs::path& folder, std::vector<TensorSpec> tensors,
                                     SafetensorsOptions options)
    : folder_(folder), options_(std::move(options)) {
    make_folders(folder_);
    try {
        split_into_shards(tensors);
    } catch (...) {
        for (const Shard& shard : shards_)
            unlink(shard.staging.c_str());
        throw;
    }
}

SafetensorsWriter::~SafetensorsWriter() {
    for (const Shard& shard : shards_)
        if (!shard.staging.empty()) unlink(shard.staging.c_str());
}

// As huggingface_hub's split_torch_state_dict_into_shards_factory: in the order given, a new shard where the
// next tensor does not fit any more; a tensor larger than a shard has one of its own.
void SafetensorsWriter::split_into_shards(const std::vector<TensorSpec>& tensors) {
    std::vector<std::vector<StoredTensor>> groups;
    std::vector<StoredTensor> current;
    std::uint64_t filled = 0;
    for (const TensorSpec& spec : tensors) {
        std::uint64_t bytes = bytes_of(spec);
        StoredTensor tensor{spec.name, spec.type, spec.shape, 0, bytes, 0};
        if (bytes > options_.max_shard_bytes) {
            groups.push_back({std::move(tensor)});
            continue;
        }
        if (filled + bytes > options_.max_shard_bytes) {
            groups.push_back(std::exchange(current, {}));
            filled = 0;
        }
        filled += bytes;
        current.push_back(std::move(tensor));
    }
    if (!current.empty() || groups.empty()) groups.push_back(std::move(current));
    for (std::size_t i = 0; i < groups.size(); ++i) {
        for (StoredTensor& tensor : groups[i])
            tensor.file = static_cast<std::uint32_t>(i);
        shards_.emplace_back().file_name = shard_name(options_.stem, i + 1, groups.size());
        open_shard(shards_.back(), std::move(groups[i]));
    }
}

void SafetensorsWriter::open_shard(Shard& shard, std::vector<StoredTensor> tensors) {
    std::string header = make_safetensors_header(tensors, options_.metadata);
    if (header.size() > safetensors_max_header_bytes)
        fail(ErrorKind::internal,
             "The safetensors header of " + shard.file_name + " would be larger than the format allows.");
    shard.staging = folder_ / (shard.file_name + ".tmp-" + std::to_string(std::random_device{}()));
    shard.fd = FileDescriptor(shard.staging, O_RDWR | O_CREAT | O_EXCL, "Cannot create");
    std::uint64_t header_bytes = header.size();
    shard.data_begin = sizeof header_bytes + header.size();
    shard.size = shard.data_begin + (tensors.empty() ? 0 : tensors.back().end);
    reserve(shard.fd.get(), shard.size, folder_ / shard.file_name);
    write_all_at(shard.fd.get(), 0, std::as_bytes(std::span(&header_bytes, 1)), folder_ / shard.file_name);
    write_all_at(shard.fd.get(), sizeof header_bytes, std::as_bytes(std::span(header)),
                 folder_ / shard.file_name);
    for (StoredTensor& tensor : tensors) {
        std::string name = tensor.name;
        if (!entries_.try_emplace(name, Entry{std::move(tensor), false}).second)
            fail(ErrorKind::internal, "Tensor " + in_quotes(name) + " was listed twice for writing.");
    }
}

const StoredTensor& SafetensorsWriter::start(std::string_view name) {
    auto found = entries_.find(name);
    if (found == entries_.end())
        fail(ErrorKind::internal, "Tensor " + in_quotes(name) + " was not listed for writing.");
    if (found->second.written) fail(ErrorKind::internal, "Tensor " + in_quotes(name) + " was written twice.");
    found->second.written = true;
    return found->second.tensor;
}

void SafetensorsWriter::write_at(const StoredTensor& tensor, std::uint64_t offset,
                                 std::span<const std::byte> bytes) {
    const Shard& shard = shards_[tensor.file];
    write_all_at(shard.fd.get(), shard.data_begin + tensor.begin + offset, bytes, folder_ / shard.file_name);
}

void SafetensorsWriter::write_bytes(std::string_view name, std::span<const std::byte> bytes) {
    const StoredTensor& tensor = start(name);
    if (bytes.size() != tensor.bytes())
        fail(ErrorKind::internal, "Tensor " + in_quotes(name) + " has " + std::to_string(tensor.bytes())
                                      + " bytes, not " + std::to_string(bytes.size()) + ".");
    write_at(tensor, 0, bytes);
}

void SafetensorsWriter::write_f32(std::string_view name, std::span<const float> values) {
    const StoredTensor& tensor = start(name);
    if (!is_weight_type(tensor.type) || static_cast<std::int64_t>(values.size()) != tensor.elements())
        fail(ErrorKind::internal, "Tensor " + in_quotes(name) + " is " + std::string(name_of(tensor.type))
                                      + " of shape " + shape_text(tensor.shape) + ", not "
                                      + std::to_string(values.size()) + " floats.");
    if (tensor.type == TensorType::f32) return write_at(tensor, 0, std::as_bytes(values));
    std::vector<std::uint16_t> buffer(std::min<std::size_t>(values.size(), 1u << 17));
    for (std::size_t done = 0; done < values.size(); done += buffer.size()) {
        std::span<const float> from = values.subspan(done, std::min(buffer.size(), values.size() - done));
        std::span<std::uint16_t> part = std::span(buffer).first(from.size());
        if (tensor.type == TensorType::f16)
            f32_to_f16(from, part);
        else
            f32_to_bf16(from, part);
        write_at(tensor, done * 2, std::as_bytes(part));
    }
}

std::string SafetensorsWriter::index_json() const {
    Json weight_map = Json::object();
    std::uint64_t total_bytes = 0;
    std::int64_t total_parameters = 0;
    for (const auto& [name, entry] : entries_) {
        weight_map[name] = shards_[entry.tensor.file].file_name;
        total_bytes += entry.tensor.bytes();
        total_parameters += entry.tensor.elements();
    }
    Json metadata = {{"total_parameters", total_parameters}, {"total_size", total_bytes}};
    return Json{{"metadata", metadata}, {"weight_map", weight_map}}.dump(2) + "\n";
}

/// A set written earlier under the same stem, whose index or single file would be taken for the new one's.
void SafetensorsWriter::remove_stale_files() const {
    std::string index = options_.stem + ".safetensors.index.json";
    for (const auto& entry : fs::directory_iterator(folder_)) {
        std::string name = entry.path().filename();
        bool ours = std::any_of(shards_.begin(), shards_.end(),
                                [&](const Shard& shard) { return shard.file_name == name; });
        bool shard_pattern = name.size() == options_.stem.size() + 27 && name.starts_with(options_.stem + "-")
                             && name.ends_with(".safetensors") && name.find("-of-") != std::string::npos;
        bool stale =
            name == options_.stem + ".safetensors" || shard_pattern || (shards_.size() == 1 && name == index);
        if (stale && !ours) unlink(entry.path().c_str());
    }
}

std::uint64_t SafetensorsWriter::finish() {
    for (const auto& [name, entry] : entries_)
        if (!entry.written && entry.tensor.bytes() > 0)
            fail(ErrorKind::internal, "Tensor " + in_quotes(name) + " was never written.");
    std::uint64_t total = 0;
    for (Shard& shard : shards_) {
        if (fsync(shard.fd.get()) != 0) fail_errno("Cannot sync", folder_ / shard.file_name, errno);
        total += shard.size;
    }
    for (Shard& shard : shards_) {
        fs::path target = folder_ / shard.file_name;
        if (rename(shard.staging.c_str(), target.c_str()) != 0) fail_errno("Cannot replace", target, errno);
        shard.staging.clear();
        shard.fd.close();
    }
    if (shards_.size() > 1)
        write_file_atomic(folder_ / (options_.stem + ".safetensors.index.json"), index_json());
    remove_stale_files();
    FileDescriptor directory(folder_, O_RDONLY | O_DIRECTORY, "Cannot sync");
    if (fsync(directory.get()) != 0) fail_errno("Cannot sync", folder_, errno);
    return total;
}

} // namespace tempera
