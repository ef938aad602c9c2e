#pragma once

#include "core/base/json.h"
#include "core/format/encoder_config.h"
#include "core/format/model_config.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace tempera {

/// What can be said of a model without loading its weights: what `tempera-cli model info` prints.
struct ModelInfo {
    enum class Kind { model, adapter, gguf };
    Kind kind = Kind::model;
    std::filesystem::path path;
    std::string architecture;             ///< "LlamaForCausalLM"; of an adapter its type, "LORA"
    std::optional<ModelConfig> config;    ///< of a decoder; of a GGUF file where Tempera can import it
    std::optional<EncoderConfig> encoder; ///< of an encoder, which scores texts
    std::string licence;                  ///< as the model states it; "" where it states none

    struct Weights {
        std::size_t tensors = 0;
        std::int64_t elements = 0;
        std::uint64_t bytes = 0; ///< of the files
        std::size_t files = 0;
        std::map<std::string, std::int64_t> types; ///< elements by type, {"F32": 134515008}
    } weights;

    struct Vocabulary {
        std::int64_t tokens = 0;
        std::string bos, eos, pad;
        std::string chat_template; ///< "chatml", "plain", ..., or "unknown"
        std::string problem;       ///< why the tokenizer or the template cannot be used; empty where it can
    };
    std::optional<Vocabulary> tokenizer; ///< empty where there is none

    struct Adapter {
        std::string base_model;
        std::int64_t r = 0;
        double alpha = 0, dropout = 0;
        Json targets; ///< a list of names or one regular expression
        bool rs_lora = false;
    };
    std::optional<Adapter> adapter;

    /// The type of the most elements: "F32", "BF16", "Q4_1".
    std::string dtype() const;
};

/// Describes a Hugging Face model folder, a PEFT adapter folder or a GGUF file. The headers are checked in
/// full, and of a decoder that the weights are those config.json asks for; a tokenizer Tempera cannot use is
/// reported and is no error. Throws Error(not_found, bad_input, unsupported, io).
ModelInfo describe_model(const std::filesystem::path& path);

Json to_json(const ModelInfo& info);

} // namespace tempera
