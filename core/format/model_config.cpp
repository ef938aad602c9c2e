#include "core/format/model_config.h"

#include "core/format/config_fields.h"
#include "core/format/model_folder.h"
#include "core/format/model_tensors.h"
#include "core/format/tensor_type.h"

#include <algorithm>

namespace fs = std::filesystem;

namespace tempera {

namespace {

constexpr std::size_t max_config_bytes = 4u << 20;
constexpr std::int64_t most_positions = std::int64_t{1} << 31;
constexpr std::int64_t max_parameters = std::int64_t{1} << 42;
constexpr double least_norm_eps = 1e-20; // with 0 a row of zeros becomes NaN

ModelConfig::Family family_of(const ConfigFields& fields) {
    static const std::string supported = "Tempera runs Qwen2ForCausalLM and LlamaForCausalLM";
    const Json* list = fields.find("architectures");
    std::string type = fields.text_or("model_type", "");
    if (list && !(list->is_array() && list->size() == 1 && list->front().is_string()))
        fields.refuse_unsupported("architectures", *list, supported);
    std::string name = list              ? list->front().get<std::string>()
                       : type == "qwen2" ? "Qwen2ForCausalLM"
                       : type == "llama" ? "LlamaForCausalLM"
                                         : "";
    if (!list && type.empty())
        fail(ErrorKind::bad_input,
             fields.source()
                 + " names neither architectures nor model_type; it is not the config.json"
                   " of a model.");
    if (name != "Qwen2ForCausalLM" && name != "LlamaForCausalLM")
        list ? fields.refuse_unsupported("architecture", list->front(), supported)
             : fields.refuse_unsupported("model_type", type, supported);
    const char* expected = name == "Qwen2ForCausalLM" ? "qwen2" : "llama";
    if (!type.empty() && type != expected)
        fail(ErrorKind::bad_input, fields.source() + ": model_type is \"" + type.substr(0, 60)
                                       + "\", but architectures says " + name + ".");
    return name == "Qwen2ForCausalLM" ? ModelConfig::Family::qwen2 : ModelConfig::Family::llama;
}

Llama3RopeScaling read_llama3(const ConfigFields& rope, const ConfigFields& fields,
                              std::int64_t max_positions) {
    const char* original = "original_max_position_embeddings";
    Llama3RopeScaling scaling;
    scaling.factor = rope.number_or("factor", 0, 1, 1e6);
    scaling.low_frequency_factor = rope.number_or("low_freq_factor", 0, 1e-6, 1e6);
    scaling.high_frequency_factor = rope.number_or("high_freq_factor", 0, 1e-6, 1e6);
    if (scaling.factor == 0 || scaling.low_frequency_factor == 0 || scaling.high_frequency_factor == 0)
        fail(ErrorKind::bad_input, rope.source() + " lacks factor, low_freq_factor or high_freq_factor.");
    if (scaling.high_frequency_factor <= scaling.low_frequency_factor)
        fail(ErrorKind::bad_input,
             rope.source() + ": high_freq_factor must be greater than low_freq_factor.");
    scaling.original_max_positions = rope.integer_or(original, max_positions, 1, most_positions);
    scaling.original_max_positions =
        fields.integer_or(original, scaling.original_max_positions, 1, most_positions);
    return scaling;
}

/// Rope settings stand at the top level (rope_theta, rope_scaling) up to transformers 4, in rope_parameters
/// since 5. Where a file has both, this takes what transformers 5.23 takes (modeling_rope_utils.py,
/// convert_rope_params_to_dict).
void read_rope(const ConfigFields& fields, ModelConfig& config) {
    constexpr double max_theta = 1e12;
    config.rope_theta = fields.number_or("rope_theta", config.rope_theta, 1, max_theta);
    const Json* scaling = fields.find("rope_scaling");
    const char* place = scaling && !scaling->empty() ? "rope_scaling" : "rope_parameters";
    const Json* object = fields.find(place);
    if (!object) return;
    ConfigFields rope(*object, fields.source() + ": " + place);
    for (const auto& [key, value] : object->items())
        if (value.is_object()) rope.refuse_unsupported(key.c_str(), value, "one rope for all layers is");
    config.rope_theta = rope.number_or("rope_theta", config.rope_theta, 1, max_theta);
    if (rope.number_or("partial_rotary_factor", 1, 0, 1) != 1)
        rope.refuse_unsupported("partial_rotary_factor", *rope.find("partial_rotary_factor"), "only 1 is");
    std::string type = rope.text_or("rope_type", rope.text_or("type", "default"));
    if (type == "llama3")
        config.llama3_rope = read_llama3(rope, fields, config.max_positions);
    else if (type != "default")
        rope.refuse_unsupported("rope_type", type, "only \"default\" and \"llama3\" are");
}

void refuse_what_is_not_implemented(const ConfigFields& fields) {
    if (const Json* value = fields.find("quantization_config"))
        fields.refuse_unsupported("quantization_config", *value, "use the model's unquantised version");
    if (fields.text_or("hidden_act", "silu") != "silu")
        fields.refuse_unsupported("hidden_act", *fields.find("hidden_act"), "only \"silu\" is");
    if (fields.flag_or("use_sliding_window", false))
        fields.refuse_unsupported("use_sliding_window", true, "only full attention is");
    if (fields.number_or("partial_rotary_factor", 1, 0, 1) != 1)
        fields.refuse_unsupported("partial_rotary_factor", *fields.find("partial_rotary_factor"),
                                  "only 1 is");
    const Json* types = fields.find("layer_types");
    if (!types) return;
    if (!types->is_array()) fields.refuse("layer_types", "must be a list", *types);
    for (const Json& type : *types)
        if (type != "full_attention")
            fields.refuse_unsupported("layer_types", type, "only \"full_attention\" is");
}

void read_sizes(const ConfigFields& fields, ModelConfig& config) {
    bool qwen = config.family == ModelConfig::Family::qwen2;
    config.vocab_size = fields.integer("vocab_size", 1, 1 << 22);
    config.hidden_size = fields.integer("hidden_size", 1, 1 << 17);
    config.intermediate_size = fields.integer("intermediate_size", 1, 1 << 20);
    config.layers = fields.integer("num_hidden_layers", 1, 1024);
    config.heads = fields.integer("num_attention_heads", 1, 4096);
    config.kv_heads = fields.integer_or(
        "num_key_value_heads", qwen && !fields.is_null("num_key_value_heads") ? 32 : config.heads, 1, 4096);
    config.max_positions =
        fields.integer_or("max_position_embeddings", qwen ? 32768 : 2048, 1, most_positions);
    config.head_dim = fields.integer_or("head_dim", config.hidden_size / config.heads, 1, 4096);
    std::string heads = std::to_string(config.heads), kv_heads = std::to_string(config.kv_heads);
    if (config.heads * config.head_dim != config.hidden_size)
        fail(ErrorKind::bad_input, fields.source() + ": num_attention_heads (" + heads + ") x head_dim ("
                                       + std::to_string(config.head_dim) + ") is not hidden_size ("
                                       + std::to_string(config.hidden_size) + ").");
    if (config.head_dim % 2 != 0)
        fail(ErrorKind::bad_input, fields.source() + ": head_dim is " + std::to_string(config.head_dim)
                                       + ", but rotary position embedding needs an even one.");
    if (config.heads % config.kv_heads != 0)
        fail(ErrorKind::bad_input, fields.source() + ": num_attention_heads (" + heads
                                       + ") is not a multiple of"
                                         " num_key_value_heads ("
                                       + kv_heads + ").");
    const Json* types = fields.find("layer_types");
    if (types && static_cast<std::int64_t>(types->size()) != config.layers)
        fail(ErrorKind::bad_input, fields.source() + ": layer_types lists " + std::to_string(types->size())
                                       + " layers, but num_hidden_layers is " + std::to_string(config.layers)
                                       + ".");
}

/// Adds one id or a list of them. Padding may lie outside of the vocabulary (older models do that); it is
/// then not used.
void read_eos(const ConfigFields& fields, ModelConfig& config) {
    const Json* value = fields.find("eos_token_id");
    if (!value) return;
    const Json list = value->is_array() ? *value : Json::array({*value});
    if (list.size() > 1024) fields.refuse("eos_token_id", "must be one id or a short list", *value);
    for (const Json& id : list) {
        if (!id.is_number_integer() || id.get<std::int64_t>() < 0
            || id.get<std::int64_t>() >= config.vocab_size)
            fields.refuse("eos_token_id",
                          "must be below vocab_size (" + std::to_string(config.vocab_size) + ")", id);
        auto number = id.get<std::int64_t>();
        if (std::find(config.eos_ids.begin(), config.eos_ids.end(), number) == config.eos_ids.end())
            config.eos_ids.push_back(number);
    }
}

void read_special_ids(const ConfigFields& fields, ModelConfig& config) {
    read_eos(fields, config);
    config.bos_id = fields.integer_or("bos_token_id", config.bos_id, -1, config.vocab_size - 1);
    std::int64_t pad = fields.integer_or("pad_token_id", config.pad_id, INT32_MIN, INT32_MAX);
    config.pad_id = pad < 0 || pad >= config.vocab_size ? -1 : pad;
}

} // namespace

ModelConfig parse_model_config(const Json& json, const std::string& source) {
    ConfigFields fields(json, source);
    ModelConfig config;
    config.family = family_of(fields);
    refuse_what_is_not_implemented(fields);
    read_sizes(fields, config);
    config.rms_norm_eps = fields.number_or("rms_norm_eps", 1e-6, least_norm_eps, 1);
    config.initializer_range = fields.number_or("initializer_range", 0.02, 0, 1);
    config.tied_embeddings = fields.flag_or("tie_word_embeddings", false);
    read_rope(fields, config);
    if (config.family == ModelConfig::Family::qwen2) {
        config.qkv_bias = true; // Qwen2Attention has them whatever the file says
    } else {
        config.qkv_bias = config.o_bias = fields.flag_or("attention_bias", false);
        config.mlp_bias = fields.flag_or("mlp_bias", false);
        // LlamaConfig's defaults, which a file may leave out.
        if (!json.contains("bos_token_id") && config.vocab_size > 1) config.bos_id = 1;
        if (!json.contains("eos_token_id") && config.vocab_size > 2) config.eos_ids = {2};
    }
    read_special_ids(fields, config);
    if (config.parameter_count() > max_parameters)
        fail(ErrorKind::bad_input, source + " describes a model of "
                                       + std::to_string(config.parameter_count())
                                       + " parameters, more than Tempera accepts; its sizes are wrong.");
    config.raw = json;
    return config;
}

ModelConfig read_model_config(const fs::path& folder) {
    fs::path path = folder / "config.json";
    std::error_code ignored;
    if (!fs::is_directory(folder, ignored))
        fail(ErrorKind::not_found, folder.string() + " is not a folder; choose a Hugging Face model folder.");
    if (!model_folder_has(folder, "config.json"))
        fail(ErrorKind::not_found,
             folder.string() + " has no config.json; choose a Hugging Face model folder.");
    ModelConfig config = parse_model_config(
        read_json_file(file_in_model_folder(folder, "config.json"), max_config_bytes), path.string());
    if (model_folder_has(folder, "generation_config.json")) {
        Json generation =
            read_json_file(file_in_model_folder(folder, "generation_config.json"), max_config_bytes);
        read_special_ids(ConfigFields(generation, (folder / "generation_config.json").string()), config);
    }
    return config;
}

std::int64_t ModelConfig::parameter_count() const {
    std::int64_t q = heads * head_dim, kv = kv_heads * head_dim, c = hidden_size, inner = intermediate_size;
    std::int64_t layer = c * (q + 2 * kv) + q * c + 3 * c * inner + 2 * c;
    if (qkv_bias) layer += q + 2 * kv;
    if (o_bias) layer += c;
    if (mlp_bias) layer += 2 * inner + c;
    return vocab_size * c * (tied_embeddings ? 1 : 2) + layers * layer + c;
}

} // namespace tempera
