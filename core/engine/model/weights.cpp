#include "core/engine/model/weights.h"

namespace tempera {

namespace {

struct Part {
    const char* name;
    std::int64_t rows;
};

std::vector<Part> attention_parts(const ModelConfig& config) {
    return {{"self_attn.q_proj", config.heads * config.head_dim},
            {"self_attn.k_proj", config.kv_heads * config.head_dim},
            {"self_attn.v_proj", config.kv_heads * config.head_dim}};
}

std::vector<Part> gate_up_parts(const ModelConfig& config) {
    return {{"mlp.gate_proj", config.intermediate_size}, {"mlp.up_proj", config.intermediate_size}};
}

std::string block_prefix(std::size_t block) {
    return "model.layers." + std::to_string(block) + ".";
}

void add_parts(std::vector<LinearModule>& modules, Linear& layer, std::size_t block,
               const std::vector<Part>& parts) {
    std::int64_t row = 0;
    for (const Part& part : parts) {
        modules.push_back({block_prefix(block) + part.name, &layer, row, row + part.rows,
                           static_cast<std::int64_t>(block)});
        row += part.rows;
    }
}

void add_linear(std::vector<NamedWeight>& weights, const LinearModule& module) {
    std::int64_t count = module.row_end - module.row_begin;
    weights.push_back({module.path + ".weight", module.layer->weight.narrow(0, module.row_begin, count)});
    if (module.layer->bias.defined())
        weights.push_back({module.path + ".bias", module.layer->bias.narrow(0, module.row_begin, count)});
}

Linear empty_linear(std::int64_t out, std::int64_t in, bool bias) {
    return {at::empty({out, in}, at::kFloat), bias ? at::empty({out}, at::kFloat) : at::Tensor(), {}};
}

} // namespace

std::vector<LinearModule> linear_modules(Decoder& model) {
    std::vector<LinearModule> modules;
    for (std::size_t b = 0; b < model.layers.size(); ++b) {
        DecoderLayer& layer = model.layers[b];
        add_parts(modules, layer.qkv, b, attention_parts(model.config));
        add_parts(modules, layer.o, b, {{"self_attn.o_proj", model.config.hidden_size}});
        add_parts(modules, layer.gate_up, b, gate_up_parts(model.config));
        add_parts(modules, layer.down, b, {{"mlp.down_proj", model.config.hidden_size}});
    }
    return modules;
}

std::vector<NamedWeight> huggingface_weights(const Decoder& model) {
    std::vector<NamedWeight> weights{{"model.embed_tokens.weight", model.embedding}};
    auto modules = linear_modules(const_cast<Decoder&>(model)); // only read below
    std::size_t next = 0;
    for (std::size_t b = 0; b < model.layers.size(); ++b) {
        for (; next < modules.size() && modules[next].block == static_cast<std::int64_t>(b); ++next)
            add_linear(weights, modules[next]);
        weights.push_back({block_prefix(b) + "input_layernorm.weight", model.layers[b].input_norm});
        weights.push_back(
            {block_prefix(b) + "post_attention_layernorm.weight", model.layers[b].post_attention_norm});
    }
    weights.push_back({"model.norm.weight", model.final_norm});
    if (!model.config.tied_embeddings) weights.push_back({"lm_head.weight", model.lm_head.weight});
    return weights;
}

Decoder empty_decoder(const ModelConfig& config) {
    Decoder model;
    model.config = config;
    std::int64_t c = config.hidden_size, d = config.head_dim;
    model.embedding = at::empty({config.vocab_size, c}, at::kFloat);
    model.final_norm = at::empty({c}, at::kFloat);
    for (std::int64_t l = 0; l < config.layers; ++l) {
        DecoderLayer layer;
        layer.input_norm = at::empty({c}, at::kFloat);
        layer.post_attention_norm = at::empty({c}, at::kFloat);
        layer.qkv = empty_linear((config.heads + 2 * config.kv_heads) * d, c, config.qkv_bias);
        layer.o = empty_linear(c, config.heads * d, config.o_bias);
        layer.gate_up = empty_linear(2 * config.intermediate_size, c, config.mlp_bias);
        layer.down = empty_linear(c, config.intermediate_size, config.mlp_bias);
        model.layers.push_back(std::move(layer));
    }
    model.lm_head.weight =
        config.tied_embeddings ? model.embedding : at::empty({config.vocab_size, c}, at::kFloat);
    return model;
}

} // namespace tempera
