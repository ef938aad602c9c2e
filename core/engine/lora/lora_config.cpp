#include "core/base/error.h"
#include "core/engine/lora/lora.h"

#include <cmath>

namespace tempera {

namespace {

bool is_set(const Json& config, const char* key) {
    auto found = config.find(key);
    if (found == config.end() || found->is_null()) return false;
    if (found->is_boolean()) return found->get<bool>();
    if (found->is_array() || found->is_object()) return !found->empty();
    if (found->is_string()) return !found->get<std::string>().empty();
    return true;
}

[[noreturn]] void bad_field(const std::string& source, const std::string& key, const std::string& wanted) {
    fail(ErrorKind::bad_input, source + ": \"" + key + "\" must be " + wanted + ".");
}

double number(const Json& value, const std::string& source, const std::string& key, double low, double high) {
    if (!value.is_number()) bad_field(source, key, "a number");
    double x = value.get<double>();
    if (!std::isfinite(x) || x < low || x > high)
        bad_field(source, key, "between " + Json(low).dump() + " and " + Json(high).dump());
    return x;
}

std::int64_t rank(const Json& value, const std::string& source, const std::string& key) {
    if (!value.is_number_integer()) bad_field(source, key, "a whole number");
    return static_cast<std::int64_t>(number(value, source, key, 1, 65536));
}

std::vector<std::string> texts(const Json& value, const std::string& source, const std::string& key) {
    std::vector<std::string> result;
    for (const Json& item : value) {
        if (!item.is_string() || item.get<std::string>().empty())
            bad_field(source, key, "a list of module names");
        result.push_back(item.get<std::string>());
    }
    return result;
}

/// What changes the formula y += scaling * B A dropout(x) or the set of trained tensors; none of it is
/// silently ignored.
void refuse_variants(const Json& config, const std::string& source) {
    for (const char* key :
         {"use_dora", "lora_bias", "use_qalora", "use_bdlora", "alora_invocation_tokens", "layer_replication",
          "target_parameters", "trainable_token_indices", "modules_to_save", "megatron_config",
          "arrow_config", "monteclora_config", "velora_config", "fan_in_fan_out", "kasa_config"})
        if (is_set(config, key))
            fail(ErrorKind::unsupported,
                 source + " uses \"" + key
                     + "\", which Tempera does not implement; merge it with PEFT first.");
    if (is_set(config, "bias") && config.at("bias") != "none")
        fail(ErrorKind::unsupported,
             source + " trains biases (\"bias\" is not \"none\"), which Tempera does not implement.");
    auto init = config.find("init_lora_weights");
    if (init == config.end() || init->is_null() || init->is_boolean()) return;
    if (*init == "gaussian" || *init == "eva" || *init == "orthogonal") return; // only another start
    fail(ErrorKind::unsupported, source + " was initialised with " + init->dump()
                                     + ", which changes the base weights too; convert it with PEFT's "
                                       "path_initial_model_for_weight_conversion.");
}

void read_targets(const Json& config, const std::string& source, LoraConfig& result) {
    auto targets = config.find("target_modules");
    if (targets == config.end() || targets->is_null())
        bad_field(source, "target_modules", "a list of module names, a pattern or \"all-linear\"");
    if (targets->is_string()) {
        auto text = targets->get<std::string>();
        if (text == "all-linear")
            result.targets = {text};
        else
            result.target_pattern = text;
    } else if (targets->is_array() && !targets->empty()) {
        result.targets = texts(*targets, source, "target_modules");
    } else {
        bad_field(source, "target_modules", "a list of module names, a pattern or \"all-linear\"");
    }
    if (is_set(config, "exclude_modules")) {
        if (!config.at("exclude_modules").is_array())
            bad_field(source, "exclude_modules", "a list of module names");
        result.excluded = texts(config.at("exclude_modules"), source, "exclude_modules");
    }
    if (is_set(config, "layers_pattern") && config.at("layers_pattern") != "layers"
        && config.at("layers_pattern") != Json::array({"layers"}))
        fail(ErrorKind::unsupported, source + " has a \"layers_pattern\" other than \"layers\".");
    if (config.contains("layers_to_transform") && !config.at("layers_to_transform").is_null()) {
        const Json& blocks = config.at("layers_to_transform");
        for (const Json& block : blocks.is_array() ? blocks : Json::array({blocks})) {
            if (!block.is_number_integer())
                bad_field(source, "layers_to_transform", "a whole number or a list of them");
            result.blocks.push_back(block.get<std::int64_t>());
        }
    }
}

} // namespace

LoraConfig parse_lora_config(const Json& config, const std::string& source) {
    if (!config.is_object()) fail(ErrorKind::bad_input, source + " is not a JSON object.");
    if (config.value("peft_type", Json()) != "LORA")
        fail(ErrorKind::unsupported, source + " describes a PEFT method other than LORA: "
                                         + config.value("peft_type", Json()).dump() + ".");
    refuse_variants(config, source);
    LoraConfig result;
    if (config.contains("r")) result.r = rank(config.at("r"), source, "r");
    if (config.contains("lora_alpha"))
        result.alpha = number(config.at("lora_alpha"), source, "lora_alpha", -1e9, 1e9);
    if (config.contains("lora_dropout"))
        result.dropout = number(config.at("lora_dropout"), source, "lora_dropout", 0, 0.99);
    result.rslora = is_set(config, "use_rslora");
    read_targets(config, source, result);
    if (is_set(config, "rank_pattern"))
        for (const auto& [key, value] : config.at("rank_pattern").items())
            result.rank_pattern[key] = rank(value, source, "rank_pattern." + key);
    if (is_set(config, "alpha_pattern"))
        for (const auto& [key, value] : config.at("alpha_pattern").items())
            result.alpha_pattern[key] = number(value, source, "alpha_pattern." + key, -1e9, 1e9);
    if (is_set(config, "base_model_name_or_path")) {
        if (!config.at("base_model_name_or_path").is_string())
            bad_field(source, "base_model_name_or_path", "text");
        result.base_model = config.at("base_model_name_or_path").get<std::string>();
    }
    return result;
}

Json to_peft_json(const LoraConfig& config) {
    auto as_number = [](double x) {
        return x == std::floor(x) && std::fabs(x) < 1e15 ? Json(static_cast<std::int64_t>(x)) : Json(x);
    };
    Json alphas = Json::object();
    for (const auto& [key, value] : config.alpha_pattern)
        alphas[key] = as_number(value);
    Json targets = config.targets;
    if (config.targets.empty()) targets = config.target_pattern;
    if (config.targets == std::vector<std::string>{"all-linear"}) targets = "all-linear";
    return {{"peft_type", "LORA"},
            {"task_type", "CAUSAL_LM"},
            {"base_model_name_or_path", config.base_model},
            {"r", config.r},
            {"lora_alpha", as_number(config.alpha)},
            {"lora_dropout", config.dropout},
            {"use_rslora", config.rslora},
            {"target_modules", targets},
            {"exclude_modules", config.excluded.empty() ? Json() : Json(config.excluded)},
            {"layers_to_transform", config.blocks.empty() ? Json() : Json(config.blocks)},
            {"rank_pattern", config.rank_pattern},
            {"alpha_pattern", alphas},
            {"bias", "none"},
            {"fan_in_fan_out", false},
            {"modules_to_save", nullptr},
            {"inference_mode", true},
            {"init_lora_weights", true}};
}

} // namespace tempera
