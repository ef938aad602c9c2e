#include "core/engine/model/encoder.h"

namespace tempera {

namespace {

using Family = EncoderConfig::Family;

/// The names of a family's modules below its layers.
struct LayerNames {
    const char *layers, *query, *key, *value, *output, *attention_norm, *up, *down, *output_norm;
};

LayerNames names_of(Family family) {
    if (family == Family::distilbert)
        return {"distilbert.transformer.layer.",
                "attention.q_lin",
                "attention.k_lin",
                "attention.v_lin",
                "attention.out_lin",
                "sa_layer_norm",
                "ffn.lin1",
                "ffn.lin2",
                "output_layer_norm"};
    bool bert = family == Family::bert;
    return {bert ? "bert.encoder.layer." : "deberta.encoder.layer.",
            bert ? "attention.self.query" : "attention.self.query_proj",
            bert ? "attention.self.key" : "attention.self.key_proj",
            bert ? "attention.self.value" : "attention.self.value_proj",
            "attention.output.dense",
            "attention.output.LayerNorm",
            "intermediate.dense",
            "output.dense",
            "output.LayerNorm"};
}

class WeightList {
public:
    void add(const std::string& name, const at::Tensor& tensor) {
        if (tensor.defined()) list_.push_back({name, tensor});
    }
    void add(const std::string& name, const Linear& linear) {
        add(name + ".weight", linear.weight);
        add(name + ".bias", linear.bias);
    }
    void add(const std::string& name, const LayerNormWeights& norm) {
        add(name + ".weight", norm.weight);
        add(name + ".bias", norm.bias);
    }
    std::vector<NamedWeight> take() { return std::move(list_); }

private:
    std::vector<NamedWeight> list_;
};

Linear empty_linear(std::int64_t out, std::int64_t in, bool bias = true) {
    return {at::empty({out, in}, at::kFloat), bias ? at::empty({out}, at::kFloat) : at::Tensor(), {}};
}

LayerNormWeights empty_norm(std::int64_t c) {
    return {at::empty({c}, at::kFloat), at::empty({c}, at::kFloat)};
}

EncoderLayer empty_layer(const EncoderConfig& config) {
    std::int64_t c = config.hidden_size;
    EncoderLayer layer;
    for (Linear* linear : {&layer.query, &layer.key, &layer.value, &layer.output})
        *linear = empty_linear(c, c);
    layer.up = empty_linear(config.intermediate_size, c);
    layer.down = empty_linear(c, config.intermediate_size);
    layer.attention_norm = empty_norm(c);
    layer.output_norm = empty_norm(c);
    if (config.relative_attention && !config.share_attention_key) {
        if (config.content_to_position) layer.position_key = empty_linear(c, c);
        if (config.position_to_content) layer.position_query = empty_linear(c, c);
    }
    return layer;
}

} // namespace

std::vector<NamedWeight> huggingface_weights(const Encoder& model) {
    const Family family = model.config.family;
    const char* prefix = family == Family::bert         ? "bert."
                         : family == Family::distilbert ? "distilbert."
                                                        : "deberta.";
    const std::string root = prefix;
    WeightList list;
    list.add(root + "embeddings.word_embeddings.weight", model.words);
    list.add(root + "embeddings.position_embeddings.weight", model.positions);
    list.add(root + "embeddings.token_type_embeddings.weight", model.types);
    list.add(root + "embeddings.embed_proj", model.widen);
    list.add(root + "embeddings.LayerNorm", model.embedding_norm);
    const LayerNames names = names_of(family);
    for (std::size_t l = 0; l < model.layers.size(); ++l) {
        const EncoderLayer& layer = model.layers[l];
        const std::string path = names.layers + std::to_string(l) + ".";
        list.add(path + names.query, layer.query);
        list.add(path + names.key, layer.key);
        list.add(path + names.value, layer.value);
        list.add(path + "attention.self.pos_key_proj", layer.position_key);
        list.add(path + "attention.self.pos_query_proj", layer.position_query);
        list.add(path + names.output, layer.output);
        list.add(path + names.attention_norm, layer.attention_norm);
        list.add(path + names.up, layer.up);
        list.add(path + names.down, layer.down);
        list.add(path + names.output_norm, layer.output_norm);
    }
    list.add(root + "encoder.rel_embeddings.weight", model.relative);
    list.add(root + "encoder.LayerNorm", model.relative_norm);
    list.add(family == Family::bert         ? "bert.pooler.dense"
             : family == Family::distilbert ? "pre_classifier"
                                            : "pooler.dense",
             model.pooler);
    list.add("classifier", model.classifier);
    return list.take();
}

Encoder empty_encoder(const EncoderConfig& config) {
    Encoder model;
    model.config = config;
    const std::int64_t c = config.hidden_size, e = config.embedding_size;
    model.words = at::empty({config.vocab_size, e}, at::kFloat);
    if (config.absolute_positions) model.positions = at::empty({config.max_positions, e}, at::kFloat);
    if (config.type_vocab_size > 0) model.types = at::empty({config.type_vocab_size, e}, at::kFloat);
    if (e != c) model.widen = empty_linear(c, e, false);
    model.embedding_norm = empty_norm(c);
    if (config.relative_attention) model.relative = at::empty({2 * config.relative_span(), c}, at::kFloat);
    if (config.normalise_relative) model.relative_norm = empty_norm(c);
    for (std::int64_t l = 0; l < config.layers; ++l)
        model.layers.push_back(empty_layer(config));
    model.pooler = empty_linear(c, c);
    model.classifier = empty_linear(1, c);
    return model;
}

} // namespace tempera
