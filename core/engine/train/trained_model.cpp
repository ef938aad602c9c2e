#include "core/engine/train/trained_model.h"

#include "core/base/counted.h"
#include "core/base/error.h"
#include "core/engine/lora/adapter_io.h"
#include "core/engine/lora/adapter_stack.h"
#include "core/engine/model/decoder_io.h"

#include <algorithm>

namespace fs = std::filesystem;

namespace tempera {

void TrainedModel::save(const fs::path& folder) const {
    if (adapter) {
        save_adapter(decoder, *adapter, folder);
        return;
    }
    save_decoder(decoder, folder);
    copy_tokenizer_files(tokenizer_folder, folder);
}

void TrainedModel::complete(const fs::path& folder) const {
    if (adapter && !below.empty()) flatten_adapter(decoder, below, tokenizer_folder, folder);
}

TrainedModel load_trained_model(const std::string& name, const LoraFields& lora, std::uint64_t seed,
                                const fs::path& checkpoint) {
    TrainedModel model;
    model.tokenizer_folder = base_folder_of(name);
    if (!lora.is_lora()) {
        model.decoder = load_decoder(checkpoint.empty() ? fs::path(name) : checkpoint / "model");
        return model;
    }
    model.decoder = load_decoder(name);
    model.below = stacked_slices(model.decoder, adapter_chain(name).adapters);
    if (checkpoint.empty()) {
        model.adapter = lora_config_of(lora, name);
        attach_lora(model.decoder, *model.adapter, seed);
    } else {
        model.adapter = load_adapter(model.decoder, checkpoint / "model");
    }
    return model;
}

Tokenizer load_tokenizer(const TrainedModel& model) {
    Tokenizer tokenizer = Tokenizer::load(model.tokenizer_folder);
    const ModelConfig& config = model.decoder.config;
    if (tokenizer.id_limit() > config.vocab_size)
        fail(ErrorKind::bad_input, "The tokenizer in " + model.tokenizer_folder.string() + " has ids up to "
                                       + std::to_string(tokenizer.id_limit() - 1)
                                       + ", but the model embeds only " + std::to_string(config.vocab_size)
                                       + " tokens; the files do not belong together.");
    return tokenizer;
}

std::int32_t end_of_text(const Tokenizer& tokenizer, const ModelConfig& config) {
    return tokenizer.eos_id().value_or(
        config.eos_ids.empty() ? -1 : static_cast<std::int32_t>(config.eos_ids.front()));
}

void report_length(std::int64_t rows, std::int64_t max_length, const Positions& positions,
                   RunObserver& observer) {
    if (rows == 0 || max_length <= positions.count) return;
    observer.on_event({0, 0, -1, "warning",
                       std::string(positions.whose) + " has " + std::to_string(positions.count)
                           + " positions, fewer than max_length (" + std::to_string(max_length)
                           + "): " + counted(rows, "row") + " that " + (rows == 1 ? "is" : "are")
                           + " longer than the positions were cut or dropped."});
}

LoraConfig lora_config_of(const LoraFields& lora, const std::string& base_model) {
    LoraConfig config;
    config.r = lora.lora_r;
    config.alpha = lora.lora_alpha;
    config.dropout = lora.lora_dropout;
    config.targets = lora.lora_targets;
    config.base_model = base_model;
    return config;
}

at::ScalarType compute_type_of(const DeviceFields& fields) {
    return fields.dtype == "bfloat16" ? at::kBFloat16 : at::kFloat;
}

} // namespace tempera
