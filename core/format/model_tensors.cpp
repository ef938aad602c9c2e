#include "core/format/model_tensors.h"

#include "core/base/error.h"

namespace tempera {

std::vector<TensorSpec> model_tensors(const ModelConfig& config, TensorType type) {
    std::vector<TensorSpec> tensors;
    auto add = [&](std::string name, std::vector<std::int64_t> shape) {
        tensors.push_back({std::move(name), type, std::move(shape)});
    };
    auto add_linear = [&](const std::string& name, std::int64_t out, std::int64_t in, bool bias) {
        add(name + ".weight", {out, in});
        if (bias) add(name + ".bias", {out});
    };
    std::int64_t width = config.hidden_size, inner = config.intermediate_size;
    std::int64_t q_width = config.heads * config.head_dim, kv_width = config.kv_heads * config.head_dim;
    add("model.embed_tokens.weight", {config.vocab_size, width});
    for (std::int64_t layer = 0; layer < config.layers; ++layer) {
        std::string prefix = "model.layers." + std::to_string(layer) + ".";
        add_linear(prefix + "self_attn.q_proj", q_width, width, config.qkv_bias);
        add_linear(prefix + "self_attn.k_proj", kv_width, width, config.qkv_bias);
        add_linear(prefix + "self_attn.v_proj", kv_width, width, config.qkv_bias);
        add_linear(prefix + "self_attn.o_proj", width, q_width, config.o_bias);
        add_linear(prefix + "mlp.gate_proj", inner, width, config.mlp_bias);
        add_linear(prefix + "mlp.up_proj", inner, width, config.mlp_bias);
        add_linear(prefix + "mlp.down_proj", width, inner, config.mlp_bias);
        add(prefix + "input_layernorm.weight", {width});
        add(prefix + "post_attention_layernorm.weight", {width});
    }
    add("model.norm.weight", {width});
    if (!config.tied_embeddings) add("lm_head.weight", {config.vocab_size, width});
    return tensors;
}

void check_weights(const ModelConfig& config, const SafetensorsReader& weights, const std::string& source) {
    for (const TensorSpec& spec : model_tensors(config)) {
        const StoredTensor* tensor = weights.find(spec.name);
        if (!tensor)
            fail(ErrorKind::bad_input, source + " lacks the tensor " + in_quotes(spec.name)
                                           + ", which its config.json asks for; the model is incomplete.");
        if (!is_weight_type(tensor->type))
            fail(ErrorKind::unsupported, source + ": tensor " + in_quotes(spec.name) + " has the type "
                                             + std::string(name_of(tensor->type))
                                             + "; weights can be F32, F16 or BF16.");
        if (tensor->shape != spec.shape)
            fail(ErrorKind::bad_input, source + ": tensor " + in_quotes(spec.name) + " has the shape "
                                           + shape_text(tensor->shape) + ", but config.json asks for "
                                           + shape_text(spec.shape) + ".");
    }
}

} // namespace tempera
