#include "core/format/encoder_config.h"

#include "core/format/config_fields.h"
#include "core/format/model_folder.h"

namespace fs = std::filesystem;

namespace tempera {

namespace {

constexpr std::size_t max_config_bytes = 4u << 20;
constexpr std::int64_t max_parameters = std::int64_t{1} << 38;
using Family = EncoderConfig::Family;

struct FamilyName {
    const char* model_type;
    const char* prefix; ///< of the architecture's name
    Family family;
};
constexpr FamilyName families[] = {{"bert", "Bert", Family::bert},
                                   {"distilbert", "DistilBert", Family::distilbert},
                                   {"deberta-v2", "DebertaV2", Family::deberta}};

/// "BertModel", "BertForMaskedLM" ... all have the encoder; what else they have is not read.
const FamilyName* family_named(const Json& config) {
    const Json type = config.value("model_type", Json());
    for (const FamilyName& family : families)
        if (type.is_string() ? type == family.model_type : false) return &family;
    if (type.is_string()) return nullptr;
    const Json list = config.value("architectures", Json());
    if (!list.is_array() || list.size() != 1 || !list.front().is_string()) return nullptr;
    const auto name = list.front().get<std::string>();
    for (const FamilyName& family : families)
        if (name.starts_with(std::string(family.prefix) + "For")
            || name == std::string(family.prefix) + "Model")
            return &family;
    return nullptr;
}

void require_text(const ConfigFields& fields, const char* name, const char* expected) {
    if (fields.text_or(name, expected) != expected)
        fields.refuse_unsupported(name, *fields.find(name), "only \"" + std::string(expected) + "\" is");
}

void require_gelu(const ConfigFields& fields, const char* name) {
    require_text(fields, name, "gelu");
}

void read_bert(const ConfigFields& fields, EncoderConfig& config) {
    config.hidden_size = fields.integer("hidden_size", 1, 1 << 16);
    config.intermediate_size = fields.integer("intermediate_size", 1, 1 << 20);
    config.layers = fields.integer("num_hidden_layers", 1, 1024);
    config.heads = fields.integer("num_attention_heads", 1, 1024);
    config.hidden_dropout = fields.number_or("hidden_dropout_prob", 0.1, 0, 0.99);
    config.attention_dropout = fields.number_or("attention_probs_dropout_prob", 0.1, 0, 0.99);
    config.embedding_size = config.hidden_size;
    require_gelu(fields, "hidden_act");
}

void read_plain_bert(const ConfigFields& fields, EncoderConfig& config) {
    read_bert(fields, config);
    config.type_vocab_size = fields.integer_or("type_vocab_size", 2, 1, 1 << 16);
    config.layer_norm_eps = fields.number_or("layer_norm_eps", 1e-12, 0, 1);
    config.head_dropout = fields.number_or("classifier_dropout", config.hidden_dropout, 0, 0.99);
    require_text(fields, "position_embedding_type", "absolute");
    if (fields.flag_or("is_decoder", false))
        fields.refuse_unsupported("is_decoder", true, "an encoder attends in both directions");
}

void read_distilbert(const ConfigFields& fields, EncoderConfig& config) {
    config.hidden_size = fields.integer("dim", 1, 1 << 16);
    config.intermediate_size = fields.integer("hidden_dim", 1, 1 << 20);
    config.layers = fields.integer("n_layers", 1, 1024);
    config.heads = fields.integer("n_heads", 1, 1024);
    config.embedding_size = config.hidden_size;
    config.layer_norm_eps = 1e-12; // the architecture has no field for it
    config.hidden_dropout = fields.number_or("dropout", 0.1, 0, 0.99);
    config.attention_dropout = fields.number_or("attention_dropout", 0.1, 0, 0.99);
    config.head_dropout = fields.number_or("seq_classif_dropout", 0.2, 0, 0.99);
    require_gelu(fields, "activation");
}

/// "p2c|c2p" in older files, a list in newer ones.
void read_position_attention(const ConfigFields& fields, EncoderConfig& config) {
    const Json* types = fields.find("pos_att_type");
    if (!types) return;
    std::string joined;
    for (const Json& type : types->is_array() ? *types : Json::array({*types})) {
        if (!type.is_string()) fields.refuse("pos_att_type", "must name c2p and p2c", *types);
        joined += (joined.empty() ? "" : "|") + type.get<std::string>();
    }
    for (std::size_t begin = 0; begin < joined.size();) {
        std::size_t end = std::min(joined.find('|', begin), joined.size());
        std::string type = joined.substr(begin, end - begin);
        if (type == "c2p")
            config.content_to_position = true;
        else if (type == "p2c")
            config.position_to_content = true;
        else
            fields.refuse_unsupported("pos_att_type", *types, "only c2p and p2c are");
        begin = end + 1;
    }
}

void read_deberta(const ConfigFields& fields, EncoderConfig& config) {
    read_bert(fields, config);
    config.embedding_size = fields.integer_or("embedding_size", config.hidden_size, 1, 1 << 16);
    config.type_vocab_size = fields.integer_or("type_vocab_size", 0, 0, 1 << 16);
    config.layer_norm_eps = fields.number_or("layer_norm_eps", 1e-7, 0, 1);
    config.absolute_positions = fields.flag_or("position_biased_input", true);
    config.pooler_dropout = fields.number_or("pooler_dropout", 0, 0, 0.99);
    config.head_dropout = fields.number_or("cls_dropout", config.hidden_dropout, 0, 0.99);
    config.relative_attention = fields.flag_or("relative_attention", false);
    require_gelu(fields, "pooler_hidden_act");
    if (fields.integer_or("conv_kernel_size", 0, 0, 1 << 10) > 0)
        fields.refuse_unsupported("conv_kernel_size", *fields.find("conv_kernel_size"),
                                  "only models without a convolution are");
    if (fields.integer_or("pooler_hidden_size", config.hidden_size, 1, 1 << 16) != config.hidden_size)
        fields.refuse("pooler_hidden_size", "must be hidden_size", *fields.find("pooler_hidden_size"));
    if (!config.relative_attention) return;
    config.position_buckets = fields.integer_or("position_buckets", -1, -1, 1 << 16);
    std::int64_t most = fields.integer_or("max_relative_positions", -1, -1, 1 << 20);
    config.max_relative_positions = most < 1 ? config.max_positions : most;
    if (config.position_buckets == 1 || (config.position_buckets > 0 && config.max_relative_positions < 3))
        fields.refuse("position_buckets", "there must be at least two, and 3 relative positions",
                      config.position_buckets);
    config.share_attention_key = fields.flag_or("share_att_key", false);
    read_position_attention(fields, config);
    std::string norm = fields.text_or("norm_rel_ebd", "none");
    config.normalise_relative = norm.find("layer_norm") != std::string::npos;
    if (norm != "none" && norm != "layer_norm")
        fields.refuse_unsupported("norm_rel_ebd", norm, "only \"none\" and \"layer_norm\" are");
}

std::int64_t parameter_count(const EncoderConfig& config) {
    std::int64_t c = config.hidden_size;
    std::int64_t layer = 8 * c * c + 2 * c * config.intermediate_size;
    return (config.vocab_size + config.max_positions + config.type_vocab_size) * config.embedding_size
           + config.layers * layer + 2 * c * c;
}

Json read_config_file(const fs::path& folder) {
    std::error_code ignored;
    if (!fs::is_directory(folder, ignored) || !model_folder_has(folder, "config.json"))
        fail(ErrorKind::not_found,
             folder.string() + " holds no config.json; choose a Hugging Face model folder.");
    return read_json_file(file_in_model_folder(folder, "config.json"), max_config_bytes);
}

} // namespace

bool is_encoder_folder(const fs::path& folder) {
    Json config = read_config_file(folder);
    return config.is_object() && family_named(config) != nullptr;
}

EncoderConfig parse_encoder_config(const Json& json, const std::string& source) {
    ConfigFields fields(json, source);
    const FamilyName* family = family_named(json);
    if (!family)
        fields.refuse_unsupported("model_type", json.value("model_type", json.value("architectures", Json())),
                                  "reward models are bert, distilbert and deberta-v2 (which v3 is too)");
    if (const Json* value = fields.find("quantization_config"))
        fields.refuse_unsupported("quantization_config", *value, "use the model's unquantised version");
    EncoderConfig config;
    config.family = family->family;
    config.vocab_size = fields.integer("vocab_size", 1, 1 << 22);
    config.max_positions = fields.integer_or("max_position_embeddings", 512, 1, 1 << 20);
    config.initializer_range = fields.number_or("initializer_range", 0.02, 0, 1);
    switch (config.family) {
    case Family::bert:
        read_plain_bert(fields, config);
        break;
    case Family::distilbert:
        read_distilbert(fields, config);
        break;
    case Family::deberta:
        read_deberta(fields, config);
        break;
    }
    config.pad_id = fields.integer_or("pad_token_id", 0, 0, config.vocab_size - 1);
    if (config.hidden_size % config.heads != 0)
        fail(ErrorKind::bad_input, source + ": its width (" + std::to_string(config.hidden_size)
                                       + ") is not a multiple of its number of attention heads ("
                                       + std::to_string(config.heads) + ").");
    if (parameter_count(config) > max_parameters)
        fail(ErrorKind::bad_input, source + " describes a model of " + std::to_string(parameter_count(config))
                                       + " parameters, more than Tempera accepts; its sizes are wrong.");
    config.raw = json;
    return config;
}

EncoderConfig read_encoder_config(const fs::path& folder) {
    return parse_encoder_config(read_config_file(folder), (folder / "config.json").string());
}

Json reward_config_json(const EncoderConfig& config) {
    Json json = config.raw;
    for (const FamilyName& family : families)
        if (family.family == config.family) {
            json["model_type"] = family.model_type;
            json["architectures"] = {std::string(family.prefix) + "ForSequenceClassification"};
        }
    json["vocab_size"] = config.vocab_size;
    json["id2label"] = {{"0", "LABEL_0"}};
    json["label2id"] = {{"LABEL_0", 0}};
    json.erase("num_labels");
    json.erase("_name_or_path");
    for (const char* key : {"dtype", "torch_dtype"})
        if (json.contains(key)) json[key] = "float32"; // what is written, whatever was read
    return json;
}

} // namespace tempera
