#include "core/format/gguf_import.h"

#include "core/format/gguf_metadata.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace tempera {

namespace {

struct Sizes {
    std::int64_t hidden, heads, kv_heads, head_dim, vocab;
};

/// rope_freqs.weight holds, per frequency, what Llama 3's scaling divides it by (convert_hf_to_gguf.py,
/// generate_extra_tensors).
std::vector<double> llama3_factors(double theta, std::int64_t head_dim, double factor, double low,
                                   double high, double positions) {
    std::vector<double> factors;
    for (std::int64_t i = 0; i < head_dim / 2; ++i) {
        double wavelength = 2 * std::numbers::pi
                            * std::pow(theta, 2.0 * static_cast<double>(i) / static_cast<double>(head_dim));
        if (wavelength < positions / high) {
            factors.push_back(1);
        } else if (wavelength > positions / low) {
            factors.push_back(factor);
        } else {
            double smooth = (positions / wavelength - low) / (high - low);
            factors.push_back(1 / ((1 - smooth) / factor + smooth));
        }
    }
    return factors;
}

/// The file keeps the outcome of the scaling and not its parameters: those are found again among the usual
/// ones.
void add_rope_scaling(const GgufReader& gguf, const GgufMetadata& metadata, const Sizes& sizes, double theta,
                      Json& config) {
    if (!gguf.find("rope_freqs.weight")) return;
    const GgufTensor& tensor = gguf.at("rope_freqs.weight");
    if (tensor.elements() != sizes.head_dim / 2)
        metadata.refuse("rope_freqs.weight has " + std::to_string(tensor.elements()) + " elements instead of "
                        + std::to_string(sizes.head_dim / 2));
    std::vector<float> stored(static_cast<std::size_t>(tensor.elements()));
    gguf.read_f32("rope_freqs.weight", stored);
    double factor = *std::max_element(stored.begin(), stored.end());
    if (std::all_of(stored.begin(), stored.end(), [](float value) { return value == 1; })) return;
    for (std::int64_t positions = 64; positions <= 1 << 20; positions *= 2) {
        std::vector<double> expected =
            llama3_factors(theta, sizes.head_dim, factor, 1, 4, static_cast<double>(positions));
        bool equal =
            std::equal(stored.begin(), stored.end(), expected.begin(), [](double left, double right) {
                return std::abs(left - right) <= 1e-4 * std::abs(right);
            });
        if (!equal) continue;
        config["rope_scaling"] = {{"rope_type", "llama3"},
                                  {"factor", factor},
                                  {"low_freq_factor", 1.0},
                                  {"high_freq_factor", 4.0},
                                  {"original_max_position_embeddings", positions}};
        return;
    }
    metadata.refuse_unsupported(
        "its rope frequencies (rope_freqs.weight) are not those of a Llama 3 scaling with"
        " low_freq_factor 1 and high_freq_factor 4");
}

void refuse_what_is_not_implemented(const GgufMetadata& metadata, const std::string& prefix) {
    if (metadata.find_integer(prefix + "expert_count", 0, INT32_MAX).value_or(0) > 0)
        metadata.refuse_unsupported("it is a mixture of experts, which is not supported");
    std::string scaling = metadata.find_text(prefix + "rope.scaling.type").value_or("none");
    if (scaling != "none")
        metadata.refuse_unsupported("rope scaling \"" + scaling.substr(0, 60) + "\" is not supported");
    for (const char* key : {"logit_scale", "residual_scale", "embedding_scale", "attention.scale",
                            "attention.clamp_kqv", "attention.max_alibi_bias", "attention.sliding_window",
                            "attn_logit_softcapping", "final_logit_softcapping"})
        if (metadata.find_number(prefix + key).value_or(0) != 0)
            metadata.refuse_unsupported(prefix + key + " is set, which is not supported");
}

Sizes read_sizes(const GgufReader& gguf, const GgufMetadata& metadata, const std::string& prefix) {
    Sizes sizes{};
    sizes.hidden = metadata.integer(prefix + "embedding_length", 1, 1 << 17);
    sizes.heads = metadata.integer(prefix + "attention.head_count", 1, 4096);
    sizes.kv_heads = metadata.find_integer(prefix + "attention.head_count_kv", 1, 4096).value_or(sizes.heads);
    sizes.head_dim = sizes.hidden / sizes.heads;
    for (const char* key : {"rope.dimension_count", "attention.key_length", "attention.value_length"}) {
        auto value = metadata.find_integer(prefix + key, 1, 1 << 17);
        if (value && *value != sizes.head_dim)
            metadata.refuse_unsupported(prefix + key + " (" + std::to_string(*value)
                                        + ") is not embedding_length / head_count ("
                                        + std::to_string(sizes.head_dim) + "), which is not supported");
    }
    sizes.vocab = gguf.at("token_embd.weight").shape.front();
    auto stated = metadata.find_integer(prefix + "vocab_size", 1, 1 << 22);
    if (stated && *stated != sizes.vocab)
        metadata.refuse(prefix + "vocab_size (" + std::to_string(*stated)
                        + ") is not the number of rows of token_embd.weight (" + std::to_string(sizes.vocab)
                        + ")");
    return sizes;
}

Json id_or_null(const GgufMetadata& metadata, const char* name, std::int64_t vocab) {
    auto id = metadata.find_integer("tokenizer.ggml." + std::string(name) + "_token_id", 0, UINT32_MAX);
    return id && *id < vocab ? Json(*id) : Json(nullptr);
}

} // namespace

Json config_from_gguf(const GgufReader& gguf, TensorType type) {
    GgufMetadata metadata(gguf);
    std::string architecture = metadata.text("general.architecture");
    if (architecture != "llama" && architecture != "qwen2")
        metadata.refuse_unsupported("the architecture \"" + architecture.substr(0, 60)
                                    + "\" is not supported; llama and qwen2 are");
    bool llama = architecture == "llama";
    std::string prefix = architecture + ".";
    refuse_what_is_not_implemented(metadata, prefix);
    Sizes sizes = read_sizes(gguf, metadata, prefix);
    double theta = metadata.find_number(prefix + "rope.freq_base").value_or(10000);

    Json config = {
        {"architectures", {llama ? "LlamaForCausalLM" : "Qwen2ForCausalLM"}},
        {"model_type", architecture},
        {"vocab_size", sizes.vocab},
        {"hidden_size", sizes.hidden},
        {"intermediate_size", metadata.integer(prefix + "feed_forward_length", 1, 1 << 20)},
        {"num_hidden_layers", metadata.integer(prefix + "block_count", 1, 1024)},
        {"num_attention_heads", sizes.heads},
        {"num_key_value_heads", sizes.kv_heads},
        {"max_position_embeddings", metadata.integer(prefix + "context_length", 1, std::int64_t{1} << 31)},
        {"rms_norm_eps", metadata.find_number(prefix + "attention.layer_norm_rms_epsilon").value_or(1e-6)},
        {"rope_theta", theta},
        {"rope_scaling", nullptr},
        {"hidden_act", "silu"},
        {"initializer_range", 0.02},
        {"attention_dropout", 0.0},
        {"use_cache", true},
        {"tie_word_embeddings", gguf.find("output.weight") == nullptr},
        {"bos_token_id", id_or_null(metadata, "bos", sizes.vocab)},
        {"eos_token_id", id_or_null(metadata, "eos", sizes.vocab)},
        {"pad_token_id", id_or_null(metadata, "padding", sizes.vocab)},
        {"dtype", type == TensorType::f32   ? "float32"
                  : type == TensorType::f16 ? "float16"
                                            : "bfloat16"}};
    if (llama) {
        config["head_dim"] = sizes.head_dim;
        config["attention_bias"] = gguf.find("blk.0.attn_q.bias") != nullptr;
        config["mlp_bias"] = gguf.find("blk.0.ffn_gate.bias") != nullptr;
    } else {
        config["use_sliding_window"] = false;
    }
    add_rope_scaling(gguf, metadata, sizes, theta, config);
    return config;
}

} // namespace tempera
