#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/json.h"
#include "core/format/float_convert.h"
#include "core/format/model_folder.h"
#include "core/format/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <set>

namespace fs = std::filesystem;

namespace tempera {

static_assert(std::endian::native == std::endian::little,
              "safetensors and GGUF are little-endian; reading would need swaps");

namespace {

constexpr std::size_t max_shards = 512;
constexpr std::size_t max_index_bytes = 16u << 20;

const char* weights_in_folder(const fs::path& folder) {
    for (const char* name :
         {"model.safetensors", "model.safetensors.index.json", "adapter_model.safetensors"})
        if (model_folder_has(folder, name)) return name;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(folder, ignored)) {
        std::string extension = entry.path().extension();
        if (extension == ".bin" || extension == ".pt" || extension == ".pth")
            fail(ErrorKind::unsupported,
                 folder.string() + " has its weights as " + entry.path().filename().string()
                     + ", a Python pickle, which can run programs; convert it to safetensors first.");
        if (extension == ".gguf")
            fail(ErrorKind::unsupported,
                 folder.string() + " holds a GGUF file (" + entry.path().filename().string()
                     + "); import it with \"tempera-cli model import FILE DIR\" first.");
    }
    fail(ErrorKind::not_found, folder.string()
                                   + " has no model.safetensors, model.safetensors.index.json or"
                                     " adapter_model.safetensors; choose a Hugging Face model folder.");
}

} // namespace

SafetensorsReader SafetensorsReader::open(const fs::path& path) {
    std::error_code ignored;
    SafetensorsReader reader;
    fs::path file = path;
    if (fs::is_directory(path, ignored)) file /= weights_in_folder(path);
    if (file.extension() == ".json")
        reader.add_shards(file);
    else
        reader.add_file(file == path ? path : file_in_model_folder(path, file.filename().string()));
    return reader;
}

void SafetensorsReader::add_file(const fs::path& path) {
    InputFile file(path);
    std::uint64_t header_bytes = 0;
    if (file.size() < sizeof header_bytes)
        fail(ErrorKind::bad_input, path.string() + " is too short (" + std::to_string(file.size())
                                       + " bytes) to be a safetensors file; fetch it again.");
    file.read_at(0, std::as_writable_bytes(std::span(&header_bytes, 1)));
    if (header_bytes > safetensors_max_header_bytes)
        fail(ErrorKind::bad_input, path.string() + " is not a safetensors file: it asks for a header of "
                                       + std::to_string(header_bytes)
                                       + " bytes, at most 100000000 are allowed.");
    if (header_bytes > file.size() - sizeof header_bytes)
        fail(ErrorKind::bad_input, path.string() + " is cut short: its header has "
                                       + std::to_string(header_bytes) + " bytes, the whole file "
                                       + std::to_string(file.size()) + "; fetch it again.");
    std::string json(header_bytes, '\0');
    file.read_at(sizeof header_bytes, std::as_writable_bytes(std::span(json)));
    std::uint64_t data_begin = sizeof header_bytes + header_bytes;
    SafetensorsHeader header = parse_safetensors_header(json, file.size() - data_begin, path.string());

    if (tensors_.size() + header.tensors.size() > safetensors_max_tensors)
        fail(ErrorKind::bad_input, path.string() + ": the shards list more than 100,000 tensors together.");
    auto number = static_cast<std::uint32_t>(sources_.size());
    for (StoredTensor& tensor : header.tensors) {
        auto [known, is_new] = index_.try_emplace(tensor.name, tensors_.size());
        if (!is_new)
            fail(ErrorKind::bad_input,
                 path.string() + ": tensor " + in_quotes(tensor.name) + " is also in "
                     + sources_[tensors_[known->second].file].file.path().filename().string()
                     + "; a model has each tensor once.");
        tensor.file = number;
        tensors_.push_back(std::move(tensor));
    }
    if (number == 0) metadata_ = std::move(header.metadata);
    sources_.push_back({std::move(file), data_begin});
}

void SafetensorsReader::add_shards(const fs::path& index) {
    fs::path folder = index.has_parent_path() ? index.parent_path() : fs::path(".");
    std::string source = index.string();
    Json json = read_json_file(file_in_model_folder(folder, index.filename().string()), max_index_bytes);
    if (!json.is_object() || !json.contains("weight_map") || !json["weight_map"].is_object()
        || json["weight_map"].empty())
        fail(ErrorKind::bad_input,
             source + " has no weight_map from tensor names to files; it is not the index of a model.");
    const Json& weight_map = json["weight_map"];
    if (weight_map.size() > safetensors_max_tensors)
        fail(ErrorKind::bad_input, source + " lists more than 100,000 tensors.");
    std::set<std::string> shards;
    for (const auto& [name, shard] : weight_map.items()) {
        if (!shard.is_string())
            fail(ErrorKind::bad_input,
                 source + ": the file of tensor " + in_quotes(name) + " is not a string.");
        shards.insert(shard.get<std::string>());
    }
    if (shards.size() > max_shards) fail(ErrorKind::bad_input, source + " names more than 512 files.");
    for (const std::string& shard : shards) {
        if (shard.size() < 12 || !shard.ends_with(".safetensors"))
            fail(ErrorKind::bad_input,
                 source + " names the file " + in_quotes(shard) + ", which is not a .safetensors file.");
        add_file(file_in_model_folder(folder, shard));
    }
    std::vector<std::string> names(shards.begin(), shards.end());
    for (const auto& [name, shard] : weight_map.items()) {
        const StoredTensor* tensor = find(name);
        if (!tensor || names[tensor->file] != shard.get_ref<const std::string&>())
            fail(ErrorKind::bad_input, source + " places tensor " + in_quotes(name) + " in "
                                           + shard.get<std::string>() + ", which does not hold it.");
    }
}

const StoredTensor* SafetensorsReader::find(std::string_view name) const {
    auto found = index_.find(std::string(name));
    return found == index_.end() ? nullptr : &tensors_[found->second];
}

const StoredTensor& SafetensorsReader::at(std::string_view name) const {
    if (const StoredTensor* tensor = find(name)) return *tensor;
    fail(ErrorKind::bad_input, sources_.front().file.path().string() + " has no tensor " + in_quotes(name)
                                   + "; the model is incomplete or of another kind.");
}

std::string SafetensorsReader::describe(const StoredTensor& tensor) const {
    return sources_[tensor.file].file.path().string() + ": tensor " + in_quotes(tensor.name);
}

void SafetensorsReader::read_bytes(std::string_view name, std::span<std::byte> into) const {
    const StoredTensor& tensor = at(name);
    if (into.size() != tensor.bytes())
        fail(ErrorKind::internal, describe(tensor) + " has " + std::to_string(tensor.bytes())
                                      + " bytes, but room was made for " + std::to_string(into.size()) + ".");
    const Source& source = sources_[tensor.file];
    source.file.read_at(source.data_begin + tensor.begin, into);
}

void SafetensorsReader::read_f32(std::string_view name, std::span<float> into) const {
    const StoredTensor& tensor = at(name);
    if (!is_weight_type(tensor.type))
        fail(ErrorKind::unsupported, describe(tensor) + " has the type " + std::string(name_of(tensor.type))
                                         + "; weights can be F32, F16 or BF16.");
    if (static_cast<std::int64_t>(into.size()) != tensor.elements())
        fail(ErrorKind::internal, describe(tensor) + " has " + std::to_string(tensor.elements())
                                      + " elements, but room was made for " + std::to_string(into.size())
                                      + ".");
    if (tensor.type == TensorType::f32) return read_bytes(name, std::as_writable_bytes(into));

    // Through a buffer that stays in the cache, not through a copy of the tensor.
    std::vector<std::uint16_t> buffer(std::min<std::size_t>(into.size(), 1u << 17));
    const Source& source = sources_[tensor.file];
    for (std::size_t done = 0; done < into.size(); done += buffer.size()) {
        std::span<std::uint16_t> part = std::span(buffer).first(std::min(buffer.size(), into.size() - done));
        source.file.read_at(source.data_begin + tensor.begin + done * 2, std::as_writable_bytes(part));
        if (tensor.type == TensorType::f16)
            f16_to_f32(part, into.subspan(done, part.size()));
        else
            bf16_to_f32(part, into.subspan(done, part.size()));
    }
}

std::vector<fs::path> SafetensorsReader::files() const {
    std::vector<fs::path> paths;
    for (const Source& source : sources_)
        paths.push_back(source.file.path());
    return paths;
}

std::uint64_t SafetensorsReader::file_bytes() const {
    std::uint64_t total = 0;
    for (const Source& source : sources_)
        total += source.file.size();
    return total;
}

std::int64_t SafetensorsReader::element_count() const {
    std::int64_t total = 0;
    for (const StoredTensor& tensor : tensors_)
        total += tensor.elements();
    return total;
}

} // namespace tempera
