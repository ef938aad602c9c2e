#include "core/format/model_info.h"

#include "core/base/error.h"
#include "core/format/gguf_import.h"
#include "core/format/model_folder.h"
#include "core/format/model_licence.h"
#include "core/format/model_tensors.h"
#include "core/format/safetensors.h"
#include "core/text/chat_template.h"
#include "core/text/tokenizer.h"

#include <algorithm>

namespace fs = std::filesystem;

namespace tempera {

namespace {

ModelInfo::Weights weights_of(const SafetensorsReader& reader) {
    ModelInfo::Weights weights{
        reader.tensors().size(), reader.element_count(), reader.file_bytes(), reader.files().size(), {}};
    for (const StoredTensor& tensor : reader.tensors())
        weights.types[std::string(name_of(tensor.type))] += tensor.elements();
    return weights;
}

ModelInfo::Weights weights_of(const GgufReader& gguf) {
    ModelInfo::Weights weights{gguf.tensors().size(), 0, gguf.file_bytes(), 1, {}};
    for (const GgufTensor& tensor : gguf.tensors()) {
        weights.elements += tensor.elements();
        weights.types[std::string(ggml_type_info(tensor.type).name)] += tensor.elements();
    }
    return weights;
}

/// Runs `read` and keeps the sentence of its Error: a model can be looked at though a part of it cannot be
/// used.
template <typename Read>
void attempt(std::string& problem, Read read) {
    try {
        read();
    } catch (const Error& error) {
        if (problem.empty()) problem = error.what();
    }
}

void describe(const Tokenizer& tokenizer, ModelInfo::Vocabulary& vocabulary) {
    auto piece = [&](std::optional<std::int32_t> id) {
        return id ? std::string(tokenizer.piece(*id)) : std::string();
    };
    vocabulary.tokens = static_cast<std::int64_t>(tokenizer.vocab_size());
    vocabulary.bos = piece(tokenizer.bos_id());
    vocabulary.eos = piece(tokenizer.eos_id());
    vocabulary.pad = piece(tokenizer.pad_id());
}

std::optional<ModelInfo::Vocabulary> vocabulary_of_folder(const fs::path& folder) {
    if (!model_folder_has(folder, "tokenizer.json")) return std::nullopt;
    ModelInfo::Vocabulary vocabulary;
    vocabulary.chat_template = "unknown";
    attempt(vocabulary.problem, [&] { describe(Tokenizer::load(folder), vocabulary); });
    attempt(vocabulary.problem, [&] { vocabulary.chat_template = ChatTemplate::load(folder).name(); });
    return vocabulary;
}

std::optional<ModelInfo::Vocabulary> vocabulary_of_gguf(const GgufReader& gguf) {
    if (!gguf.value("tokenizer.ggml.model")) return std::nullopt;
    ModelInfo::Vocabulary vocabulary;
    vocabulary.chat_template = "unknown";
    attempt(vocabulary.problem, [&] {
        GgufTokenizer files = tokenizer_from_gguf(gguf);
        std::string source = gguf.path().string();
        describe(
            Tokenizer::from_json(parse_json(files.tokenizer_json, source), files.tokenizer_config, source),
            vocabulary);
        std::string text = files.tokenizer_config.value("chat_template", "");
        vocabulary.chat_template =
            text.empty()
                ? "plain"
                : ChatTemplate::recognise(text, files.tokenizer_config.value("bos_token", ""), source).name();
    });
    return vocabulary;
}

/// The class that the file names; its model type where it names none.
std::string architecture_of(const Json& config) {
    const Json list = config.value("architectures", Json());
    if (list.is_array() && !list.empty() && list.front().is_string()) return list.front();
    const Json type = config.value("model_type", Json());
    return type.is_string() ? type.get<std::string>() : "";
}

ModelInfo describe_folder(const fs::path& folder) {
    ModelInfo info;
    if (is_encoder_folder(folder)) {
        info.encoder = read_encoder_config(folder);
        info.architecture = architecture_of(info.encoder->raw);
        info.weights = weights_of(SafetensorsReader::open(folder));
        info.tokenizer = vocabulary_of_folder(folder);
        return info;
    }
    info.config = read_model_config(folder);
    info.architecture =
        info.config->family == ModelConfig::Family::qwen2 ? "Qwen2ForCausalLM" : "LlamaForCausalLM";
    SafetensorsReader weights = SafetensorsReader::open(folder);
    check_weights(*info.config, weights, folder.string());
    info.weights = weights_of(weights);
    info.tokenizer = vocabulary_of_folder(folder);
    return info;
}

ModelInfo describe_adapter(const fs::path& folder) {
    fs::path file = file_in_model_folder(folder, "adapter_config.json");
    Json config = read_json_file(file, 1u << 20);
    if (!config.is_object()) fail(ErrorKind::bad_input, file.string() + " is not a JSON object.");
    auto field = [&](const char* key, auto otherwise) {
        Json value = config.value(key, Json());
        if (value.is_null()) return otherwise;
        try {
            return value.get<decltype(otherwise)>();
        } catch (const Json::exception&) {
            fail(ErrorKind::bad_input, file.string() + ": " + key + " has a value of the wrong type.");
        }
    };
    ModelInfo info;
    info.kind = ModelInfo::Kind::adapter;
    info.architecture = field("peft_type", std::string());
    info.adapter = ModelInfo::Adapter{field("base_model_name_or_path", std::string()),
                                      field("r", std::int64_t{0}),
                                      field("lora_alpha", 0.0),
                                      field("lora_dropout", 0.0),
                                      config.value("target_modules", Json()),
                                      field("use_rslora", false)};
    info.weights = weights_of(SafetensorsReader::open(folder));
    return info;
}

ModelInfo describe_gguf(const fs::path& file) {
    GgufReader gguf = GgufReader::open(file);
    ModelInfo info;
    info.kind = ModelInfo::Kind::gguf;
    const GgufValue* architecture = gguf.value("general.architecture");
    info.architecture = architecture ? std::string(architecture->text().value_or("")) : "";
    info.weights = weights_of(gguf);
    info.tokenizer = vocabulary_of_gguf(gguf);
    std::string problem; // an architecture that cannot be imported: what the file holds is still told
    attempt(problem, [&] {
        info.config = parse_model_config(config_from_gguf(gguf, TensorType::f32), file.string());
        info.architecture = info.config->raw["architectures"][0];
    });
    if (info.tokenizer && info.tokenizer->problem.empty()) info.tokenizer->problem = problem;
    return info;
}

Json config_json(const ModelConfig& config) {
    return {{"family", config.family == ModelConfig::Family::qwen2 ? "qwen2" : "llama"},
            {"parameters", config.parameter_count()},
            {"layers", config.layers},
            {"hidden_size", config.hidden_size},
            {"intermediate_size", config.intermediate_size},
            {"heads", config.heads},
            {"kv_heads", config.kv_heads},
            {"head_dim", config.head_dim},
            {"vocab_size", config.vocab_size},
            {"max_positions", config.max_positions},
            {"rope_theta", config.rope_theta},
            {"rope_scaling", config.llama3_rope ? Json("llama3") : Json(nullptr)},
            {"tied_embeddings", config.tied_embeddings},
            {"eos_ids", config.eos_ids}};
}

Json config_json(const EncoderConfig& config) {
    constexpr const char* families[] = {"bert", "distilbert", "deberta"};
    return {{"family", families[static_cast<int>(config.family)]},
            {"layers", config.layers},
            {"hidden_size", config.hidden_size},
            {"intermediate_size", config.intermediate_size},
            {"heads", config.heads},
            {"vocab_size", config.vocab_size},
            {"max_positions", config.max_positions}};
}

Json vocabulary_json(const ModelInfo::Vocabulary& vocabulary) {
    Json json = {{"tokens", vocabulary.tokens}, {"chat_template", vocabulary.chat_template}};
    for (const auto& [key, value] : {std::pair("bos", vocabulary.bos),
                                     {"eos", vocabulary.eos},
                                     {"pad", vocabulary.pad},
                                     {"problem", vocabulary.problem}})
        if (!value.empty()) json[key] = value;
    return json;
}

} // namespace

std::string ModelInfo::dtype() const {
    auto most =
        std::max_element(weights.types.begin(), weights.types.end(),
                         [](const auto& left, const auto& right) { return left.second < right.second; });
    return most == weights.types.end() ? "" : most->first;
}

ModelInfo describe_model(const fs::path& path) {
    std::error_code ignored;
    ModelInfo info = !fs::is_directory(path, ignored)                ? describe_gguf(path)
                     : model_folder_has(path, "config.json")         ? describe_folder(path)
                     : model_folder_has(path, "adapter_config.json") ? describe_adapter(path)
                                                                     : describe_folder(path);
    info.path = path;
    info.licence = licence_of(path);
    return info;
}

Json to_json(const ModelInfo& info) {
    static const char* kinds[] = {"model", "adapter", "gguf"};
    Json json = {{"kind", kinds[static_cast<int>(info.kind)]},
                 {"folder", info.path.string()},
                 {"architecture", info.architecture},
                 {"dtype", info.dtype()}};
    if (!info.licence.empty()) json["licence"] = info.licence;
    if (info.config) json.update(config_json(*info.config));
    if (info.encoder) json.update(config_json(*info.encoder));
    if (info.adapter) {
        json["base_model"] = info.adapter->base_model;
        json["r"] = info.adapter->r;
        json["alpha"] = info.adapter->alpha;
        json["dropout"] = info.adapter->dropout;
        json["targets"] = info.adapter->targets;
        json["rs_lora"] = info.adapter->rs_lora;
    }
    json["weights"] = {{"tensors", info.weights.tensors},
                       {"elements", info.weights.elements},
                       {"bytes", info.weights.bytes},
                       {"files", info.weights.files},
                       {"types", info.weights.types}};
    json["tokenizer"] = info.tokenizer ? vocabulary_json(*info.tokenizer) : Json(nullptr);
    return json;
}

} // namespace tempera
