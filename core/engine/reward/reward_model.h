#pragma once

#include "core/engine/model/encoder.h"
#include "core/engine/reward/reward_text.h"

#include <ATen/ATen.h>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tempera {

/// A reward model in memory: an encoder with one score, its tokenizer and the form of its texts. Immutable
/// after load(); a copy shares the weights; one thread at a time computes best, as ATen uses all cores.
class RewardModel {
public:
    struct Options {
        std::optional<RewardForm> form;   ///< instead of the folder's own
        std::int64_t batch_tokens = 4096; ///< computed together, padding included
        at::Device device = at::kCPU;
    };

    /// A folder that a run of kind "reward" left, or a Hugging Face one (BertFor-, DistilBertFor- or
    /// DebertaV2ForSequenceClassification with one label, e.g. OpenAssistant/reward-model-deberta-v3-large,
    /// which is asked with pairs). Throws Error naming file, field or tensor.
    static RewardModel load(const std::filesystem::path& folder, const Options& options);
    static RewardModel load(const std::filesystem::path& folder) { return load(folder, Options()); }

    RewardModel(Encoder encoder, RewardTokeniser tokeniser, const Options& options)
        : encoder_(std::move(encoder)), tokeniser_(std::move(tokeniser)), options_(options) {}

    /// A score for every text, in order. It depends on nothing the text is batched with. Throws
    /// Error(numeric) naming the text (from 1) whose score is not finite.
    std::vector<double> score(std::span<const RewardText> texts) const;
    /// Of texts that are whole already, templates and all.
    std::vector<double> score_whole(std::span<const std::string> texts) const;
    std::vector<double> score_inputs(std::span<const EncoderInput> inputs) const;

    const Encoder& encoder() const { return encoder_; }
    const RewardTokeniser& tokeniser() const { return tokeniser_; }

private:
    Encoder encoder_;
    RewardTokeniser tokeniser_;
    Options options_;
};

/// The scores of `inputs` in order, without gradients. Sorted by length inside, so that padding wastes
/// little.
std::vector<double> score_inputs(const Encoder& encoder, std::span<const EncoderInput> inputs,
                                 std::int64_t batch_tokens, at::Device device = at::kCPU);

} // namespace tempera
