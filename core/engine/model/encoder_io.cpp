#include "core/engine/model/encoder_io.h"

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/random.h"
#include "core/format/safetensors.h"
#include "core/format/tensor_type.h"

#include <cmath>
#include <numbers>

namespace fs = std::filesystem;

namespace tempera {

namespace {

/// The names a weight may have in a file: transformers' own; without the encoder's prefix, as a base model is
/// saved; and LayerNorm's gamma and beta of the first BERT checkpoints.
std::vector<std::string> stored_names(const std::string& name) {
    std::vector<std::string> names{name};
    for (const char* prefix : {"bert.", "distilbert.", "deberta."})
        if (name.starts_with(prefix)) names.push_back(name.substr(std::string_view(prefix).size()));
    const std::size_t plain = names.size();
    for (std::size_t n = 0; n < plain; ++n) {
        const std::string& known = names[n];
        if (known.ends_with("LayerNorm.weight"))
            names.push_back(known.substr(0, known.size() - 6) + "gamma");
        else if (known.ends_with("LayerNorm.bias"))
            names.push_back(known.substr(0, known.size() - 4) + "beta");
    }
    return names;
}

bool is_head(const std::string& name) {
    return name.starts_with("classifier.") || name.starts_with("pre_classifier.")
           || name.starts_with("pooler.") || name.starts_with("bert.pooler.");
}

const StoredTensor* find_weight(const SafetensorsReader& reader, const std::string& name) {
    for (const std::string& stored : stored_names(name))
        if (const StoredTensor* tensor = reader.find(stored)) return tensor;
    return nullptr;
}

void check_weight(const StoredTensor& tensor, const std::vector<std::int64_t>& shape,
                  const std::string& source) {
    if (!is_weight_type(tensor.type))
        fail(ErrorKind::unsupported, source + ": tensor " + in_quotes(tensor.name) + " has the type "
                                         + std::string(name_of(tensor.type))
                                         + "; weights can be F32, F16 or BF16.");
    if (tensor.shape == shape) return;
    if (tensor.name == "classifier.weight" && tensor.shape.size() == 2 && tensor.shape[0] > 1)
        fail(ErrorKind::unsupported, source + " is a classifier of " + std::to_string(tensor.shape[0])
                                         + " labels; a reward model has one.");
    fail(ErrorKind::bad_input, source + ": tensor " + in_quotes(tensor.name) + " has the shape "
                                   + shape_text(tensor.shape) + ", but config.json asks for "
                                   + shape_text(shape) + ".");
}

/// As transformers initialises a Linear: normal weights, no bias. Box and Muller 1958.
void draw_weight(const NamedWeight& weight, double deviation, RandomStream& random) {
    float* values = weight.view.mutable_data_ptr<float>();
    for (std::int64_t k = 0; k < weight.view.numel(); ++k) {
        double radius = std::sqrt(-2 * std::log(1 - random.uniform()));
        double angle = 2 * std::numbers::pi * random.uniform();
        values[k] = weight.view.dim() == 1 ? 0.0f : static_cast<float>(deviation * radius * std::cos(angle));
    }
}

} // namespace

LoadedEncoder load_encoder(const fs::path& folder, const EncoderLoadOptions& options) {
    EncoderConfig config = read_encoder_config(folder);
    SafetensorsReader reader = SafetensorsReader::open(folder);
    // The embedding is the largest tensor: what contradicts the file is refused before memory is asked for.
    const std::string words = config.family == EncoderConfig::Family::bert         ? "bert."
                              : config.family == EncoderConfig::Family::distilbert ? "distilbert."
                                                                                   : "deberta.";
    if (const StoredTensor* tensor = find_weight(reader, words + "embeddings.word_embeddings.weight"))
        check_weight(*tensor, {config.vocab_size, config.embedding_size}, folder.string());
    LoadedEncoder loaded{empty_encoder(config), {}};
    std::uint64_t stream = 0;
    for (const NamedWeight& weight : huggingface_weights(loaded.model)) {
        ++stream;
        if (const StoredTensor* tensor = find_weight(reader, weight.name)) {
            check_weight(*tensor, weight.view.sizes().vec(), folder.string());
            reader.read_f32(tensor->name, {weight.view.mutable_data_ptr<float>(),
                                           static_cast<std::size_t>(weight.view.numel())});
            continue;
        }
        if (!options.fresh_head || !is_head(weight.name))
            fail(ErrorKind::bad_input,
                 folder.string() + " lacks the tensor " + in_quotes(weight.name)
                     + (is_head(weight.name) ? "; it is an encoder without a reward head: train it first."
                                             : ", which its config.json asks for; the model is incomplete."));
        RandomStream random(options.seed, stream, 0x4ead);
        draw_weight(weight, config.initializer_range, random);
        loaded.fresh.push_back(weight.name);
    }
    return loaded;
}

void save_encoder(const Encoder& model, const fs::path& folder) {
    auto weights = huggingface_weights(model);
    std::vector<TensorSpec> specs;
    for (const NamedWeight& weight : weights)
        specs.push_back({weight.name, TensorType::f32, weight.view.sizes().vec()});
    SafetensorsWriter writer(folder, std::move(specs));
    for (const NamedWeight& weight : weights) {
        at::Tensor values = weight.view.detach().to(at::kCPU, at::kFloat).contiguous();
        writer.write_f32(weight.name,
                         {values.const_data_ptr<float>(), static_cast<std::size_t>(values.numel())});
    }
    writer.finish();
    write_file_atomic(folder / "config.json", reward_config_json(model.config).dump(2) + "\n");
}

void resize_vocabulary(Encoder& model, std::int64_t vocab_size) {
    const std::int64_t added = vocab_size - model.config.vocab_size;
    if (added < 0) fail(ErrorKind::internal, "The vocabulary of an encoder cannot be made smaller.");
    if (added == 0) return;
    at::Tensor mean = model.words.mean(0, true);
    model.words = at::cat({model.words, mean.expand({added, mean.size(1)})});
    model.config.vocab_size = vocab_size;
}

void move_encoder(Encoder& model, at::Device device) {
    auto move_tensor = [&](at::Tensor& tensor) {
        if (tensor.defined()) tensor = tensor.to(device);
    };
    auto move_linear = [&](Linear& linear) {
        move_tensor(linear.weight);
        move_tensor(linear.bias);
    };
    auto move_norm = [&](LayerNormWeights& norm) {
        move_tensor(norm.weight);
        move_tensor(norm.bias);
    };
    for (at::Tensor* tensor : {&model.words, &model.positions, &model.types, &model.relative})
        move_tensor(*tensor);
    for (EncoderLayer& layer : model.layers) {
        for (Linear* linear : {&layer.query, &layer.key, &layer.value, &layer.output, &layer.up, &layer.down,
                               &layer.position_query, &layer.position_key})
            move_linear(*linear);
        move_norm(layer.attention_norm);
        move_norm(layer.output_norm);
    }
    for (Linear* linear : {&model.widen, &model.pooler, &model.classifier})
        move_linear(*linear);
    move_norm(model.embedding_norm);
    move_norm(model.relative_norm);
}

} // namespace tempera
