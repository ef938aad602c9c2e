#include "app/cli_model_info.h"

#include "app/cli.h"
#include "app/cli_output.h"
#include "app/cli_table.h"
#include "core/base/json.h"
#include "core/format/model_config.h"
#include "core/format/model_tensors.h"
#include "core/format/safetensors.h"
#include "core/text/tokenizer.h"

#include <set>

namespace fs = std::filesystem;

namespace tempera::cli {

namespace {

Json weights_json(const SafetensorsReader& weights) {
    std::set<std::string> types;
    for (const auto& tensor : weights.tensors())
        types.emplace(name_of(tensor.type));
    return {{"tensors", weights.tensors().size()},
            {"elements", weights.element_count()},
            {"bytes", weights.file_bytes()},
            {"files", weights.files().size()},
            {"types", types}};
}

Json tokenizer_json(const fs::path& folder) {
    if (!fs::exists(folder / "tokenizer.json")) return nullptr;
    auto tokenizer = Tokenizer::load(folder);
    Json json = {{"tokens", tokenizer.vocab_size()}};
    if (auto id = tokenizer.bos_id()) json["bos"] = tokenizer.piece(*id);
    if (auto id = tokenizer.eos_id()) json["eos"] = tokenizer.piece(*id);
    if (auto id = tokenizer.pad_id()) json["pad"] = tokenizer.piece(*id);
    return json;
}

Json model_json(const fs::path& folder) {
    ModelConfig config = read_model_config(folder);
    auto weights = SafetensorsReader::open(folder);
    check_weights(config, weights, folder.string());
    return {{"kind", "model"},
            {"folder", folder.string()},
            {"family", config.family == ModelConfig::Family::qwen2 ? "qwen2" : "llama"},
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
            {"eos_ids", config.eos_ids},
            {"weights", weights_json(weights)},
            {"tokenizer", tokenizer_json(folder)}};
}

Json adapter_json(const fs::path& folder) {
    Json config = read_json_file(folder / "adapter_config.json", 1u << 20);
    auto field = [&](const char* key) {
        return config.is_object() ? config.value(key, Json(nullptr)) : Json(nullptr);
    };
    return {{"kind", "adapter"},
            {"folder", folder.string()},
            {"type", field("peft_type")},
            {"base_model", field("base_model_name_or_path")},
            {"r", field("r")},
            {"alpha", field("lora_alpha")},
            {"dropout", field("lora_dropout")},
            {"targets", field("target_modules")},
            {"weights", weights_json(SafetensorsReader::open(folder))}};
}

/// Nested objects become "weights.bytes"; texts lose their quotes.
void add_lines(const Json& json, const std::string& prefix, std::vector<std::vector<std::string>>& lines) {
    for (const auto& [key, value] : json.items()) {
        if (value.is_object())
            add_lines(value, prefix + key + ".", lines);
        else if (value.is_number_integer() && value.get<std::int64_t>() >= 10000)
            lines.push_back({prefix + key, grouped(value.get<double>())});
        else
            lines.push_back(
                {prefix + key, one_line(value.is_string() ? value.get<std::string>() : to_json_line(value))});
    }
}

} // namespace

int show_model(const fs::path& folder, bool json) {
    Json description = fs::exists(folder / "config.json") ? model_json(folder) : adapter_json(folder);
    std::vector<std::vector<std::string>> lines;
    add_lines(description, "", lines);
    write_output(json ? description.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"
                      : text_table(lines, 2));
    return exit_done;
}

} // namespace tempera::cli
