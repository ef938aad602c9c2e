#include "core/engine/lora/adapter_io.h"

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/format/safetensors.h"

#include <c10/core/GradMode.h>
#include <set>

namespace fs = std::filesystem;

namespace tempera {

namespace {

std::string key_of(const LoraSlice& slice, const char* matrix) {
    return "base_model.model." + slice.module + ".lora_" + matrix + ".weight";
}

void check_tensor(const SafetensorsReader& reader, const std::string& name, const at::Tensor& expected,
                  const std::string& source) {
    const StoredTensor* stored = reader.find(name);
    if (!stored)
        fail(ErrorKind::bad_input,
             source + " has no tensor " + name + ", which its adapter_config.json asks for.");
    if (stored->shape != expected.sizes().vec())
        fail(ErrorKind::bad_input, source + ": " + name + " has the shape " + shape_text(stored->shape)
                                       + " instead of " + shape_text(expected.sizes().vec()) + ".");
}

void detach_all(Decoder& model) {
    for (DecoderLayer& layer : model.layers)
        for (Linear* linear : {&layer.qkv, &layer.o, &layer.gate_up, &layer.down})
            linear->lora.clear();
}

void read_matrix(const SafetensorsReader& reader, const std::string& name, const at::Tensor& into) {
    at::Tensor values = at::empty_like(into, into.options().device(at::kCPU));
    reader.read_f32(name, {values.mutable_data_ptr<float>(), static_cast<std::size_t>(values.numel())});
    into.copy_(values);
}

} // namespace

LoraConfig read_lora_config(const fs::path& folder) {
    fs::path file = folder / "adapter_config.json";
    return parse_lora_config(read_json_file(file, 16u << 20), file.string());
}

LoraConfig load_adapter(Decoder& model, const fs::path& folder) {
    c10::NoGradGuard no_grad;
    if (!lora_slices(model).empty())
        fail(ErrorKind::internal, "load_adapter: the model has an adapter already.");
    LoraConfig config = read_lora_config(folder);
    SafetensorsReader reader = SafetensorsReader::open(folder / "adapter_model.safetensors");
    std::string source = (folder / "adapter_model.safetensors").string();
    attach_lora(model, config, 0, false); // as PEFT: some of its targets may be of other models
    try {
        std::set<std::string> known;
        for (const LoraSlice* slice : lora_slices(model)) {
            check_tensor(reader, key_of(*slice, "A"), slice->a, source);
            check_tensor(reader, key_of(*slice, "B"), slice->b, source);
            known.insert({key_of(*slice, "A"), key_of(*slice, "B")});
        }
        for (const StoredTensor& tensor : reader.tensors())
            if (!known.contains(tensor.name))
                fail(ErrorKind::unsupported, source + " holds the tensor " + tensor.name
                                                 + ", which is not one of the LoRA matrices that "
                                                   "adapter_config.json names.");
        for (LoraSlice* slice : lora_slices(model)) {
            read_matrix(reader, key_of(*slice, "A"), slice->a);
            read_matrix(reader, key_of(*slice, "B"), slice->b);
        }
    } catch (...) {
        detach_all(model);
        throw;
    }
    return config;
}

void save_adapter(std::span<const LoraSlice> slices, const LoraConfig& config, const fs::path& folder) {
    std::vector<std::pair<std::string, at::Tensor>> tensors;
    for (const LoraSlice& slice : slices) {
        tensors.emplace_back(key_of(slice, "A"), slice.a.detach().to(at::kCPU, at::kFloat).contiguous());
        tensors.emplace_back(key_of(slice, "B"), slice.b.detach().to(at::kCPU, at::kFloat).contiguous());
    }
    std::vector<TensorSpec> specs;
    for (const auto& [name, tensor] : tensors)
        specs.push_back({name, TensorType::f32, tensor.sizes().vec()});
    SafetensorsOptions options;
    options.stem = "adapter_model";
    SafetensorsWriter writer(folder, std::move(specs), options);
    for (const auto& [name, tensor] : tensors)
        writer.write_f32(name, {tensor.const_data_ptr<float>(), static_cast<std::size_t>(tensor.numel())});
    writer.finish();
    write_file_atomic(folder / "adapter_config.json", to_peft_json(config).dump(2) + "\n");
}

void save_adapter(const Decoder& model, const LoraConfig& config, const fs::path& folder) {
    std::vector<LoraSlice> slices;
    for (const LoraSlice* slice : lora_slices(const_cast<Decoder&>(model))) // only read
        slices.push_back(*slice);
    save_adapter(slices, config, folder);
}

} // namespace tempera
