#include "core/engine/model/decoder_io.h"

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/random.h"
#include "core/engine/lora/adapter_io.h"
#include "core/engine/lora/lora.h"
#include "core/engine/model/weights.h"
#include "core/format/model_tensors.h"
#include "core/format/safetensors.h"

#include <cmath>
#include <numbers>

namespace fs = std::filesystem;

namespace tempera {

namespace {

std::span<float> values_of(const at::Tensor& view) {
    return {view.mutable_data_ptr<float>(), static_cast<std::size_t>(view.numel())};
}

/// An adapter folder without a config.json of its own.
bool is_adapter_folder(const fs::path& folder) {
    return fs::exists(folder / "adapter_config.json") && !fs::exists(folder / "config.json");
}

/// Counts tensors for a TensorProgress.
class Tally {
public:
    Tally(const std::vector<NamedWeight>& weights, const TensorProgress& progress) : progress_(progress) {
        for (const NamedWeight& weight : weights)
            total_ += weight.view.numel();
    }
    void add(const NamedWeight& weight) {
        done_ += weight.view.numel();
        if (progress_) progress_(done_, total_);
    }

private:
    const TensorProgress& progress_;
    std::int64_t done_ = 0, total_ = 0;
};

Decoder load_plain(const fs::path& folder, const TensorProgress& progress) {
    ModelConfig config = read_model_config(folder);
    SafetensorsReader reader = SafetensorsReader::open(folder);
    check_weights(config, reader, folder.string());
    Decoder model = empty_decoder(config);
    const auto weights = huggingface_weights(model);
    Tally tally(weights, progress);
    for (const NamedWeight& weight : weights) {
        reader.read_f32(weight.name, values_of(weight.view));
        tally.add(weight);
    }
    return model;
}

/// Normal numbers of stream `stream` (Box and Muller 1958).
void fill_normal(const at::Tensor& view, std::uint64_t seed, std::uint64_t stream, double deviation) {
    RandomStream random(seed, stream);
    auto values = values_of(view);
    for (std::size_t k = 0; k < values.size(); k += 2) {
        double radius = std::sqrt(-2 * std::log(1 - random.uniform())) * deviation;
        double angle = 2 * std::numbers::pi * random.uniform();
        values[k] = static_cast<float>(radius * std::cos(angle));
        if (k + 1 < values.size()) values[k + 1] = static_cast<float>(radius * std::sin(angle));
    }
}

bool ends_with(std::string_view text, std::string_view end) {
    return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

} // namespace

AdapterChain adapter_chain(const fs::path& folder) {
    AdapterChain chain{folder, {}};
    while (is_adapter_folder(chain.base)) {
        if (chain.adapters.size() == 8)
            fail(ErrorKind::bad_input,
                 "The adapters from " + folder.string() + " on are stacked more than 8 deep.");
        const fs::path adapter = chain.base;
        LoraConfig config = read_lora_config(adapter);
        if (config.base_model.empty())
            fail(ErrorKind::bad_input,
                 (adapter / "adapter_config.json").string()
                     + " has no base_model_name_or_path; add the folder of its base model.");
        fs::path base = adapter / fs::path(config.base_model); // an absolute path replaces the left side
        if (!fs::is_directory(base))
            fail(ErrorKind::not_found,
                 "The adapter in " + adapter.string() + " stands on the model " + config.base_model
                     + ", which is not a folder here; set base_model_name_or_path to its folder.");
        chain.adapters.insert(chain.adapters.begin(), adapter);
        chain.base = fs::weakly_canonical(base);
    }
    return chain;
}

fs::path base_folder_of(const fs::path& folder) {
    return adapter_chain(folder).base;
}

Decoder load_decoder(const fs::path& folder, const TensorProgress& progress) {
    const AdapterChain chain = adapter_chain(folder);
    Decoder model = load_plain(chain.base, progress);
    for (const fs::path& adapter : chain.adapters) {
        load_adapter(model, adapter);
        merge_lora(model);
    }
    return model;
}

Decoder random_decoder(const ModelConfig& config, std::uint64_t seed) {
    Decoder model = empty_decoder(config);
    std::uint64_t stream = 0;
    for (const NamedWeight& weight : huggingface_weights(model)) {
        ++stream;
        if (ends_with(weight.name, "norm.weight"))
            weight.view.fill_(1);
        else if (ends_with(weight.name, ".bias"))
            weight.view.zero_();
        else
            fill_normal(weight.view, seed, stream, config.initializer_range);
    }
    return model;
}

void save_decoder(const Decoder& model, const fs::path& folder, const TensorProgress& progress) {
    SafetensorsWriter writer(folder, model_tensors(model.config));
    const auto weights = huggingface_weights(model);
    Tally tally(weights, progress);
    for (const NamedWeight& weight : weights) {
        at::Tensor values = weight.view.detach().to(at::kCPU, at::kFloat).contiguous();
        writer.write_f32(weight.name,
                         {values.const_data_ptr<float>(), static_cast<std::size_t>(values.numel())});
        tally.add(weight);
    }
    writer.finish();
    Json config = model.config.raw;
    for (const char* key : {"dtype", "torch_dtype"})
        if (config.contains(key)) config[key] = "float32"; // what is written, whatever was read
    write_file_atomic(folder / "config.json", config.dump(2) + "\n");
}

void copy_tokenizer_files(const fs::path& from, const fs::path& to) {
    constexpr std::size_t limit = 512u << 20;
    for (const char* name :
         {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
          "vocab.json", "merges.txt", "vocab.txt", "tokenizer.model", "spm.model", "spiece.model",
          "chat_template.jinja", "chat_template.json", "generation_config.json"})
        if (fs::exists(from / name)) write_file_atomic(to / name, read_file(from / name, limit));
}

void move_decoder(Decoder& model, at::Device device, at::ScalarType type) {
    auto move = [&](at::Tensor& tensor) {
        if (tensor.defined()) tensor = tensor.to(device, type);
    };
    move(model.embedding);
    move(model.final_norm);
    for (DecoderLayer& layer : model.layers) {
        move(layer.input_norm);
        move(layer.post_attention_norm);
        for (Linear* linear : {&layer.qkv, &layer.o, &layer.gate_up, &layer.down}) {
            move(linear->weight);
            move(linear->bias);
            for (LoraSlice& slice : linear->lora) {
                slice.a = slice.a.to(device);
                slice.b = slice.b.to(device);
            }
        }
    }
    if (model.config.tied_embeddings)
        model.lm_head.weight = model.embedding;
    else
        move(model.lm_head.weight);
}

} // namespace tempera
