#include "core/engine/reward/reward_model.h"

#include "core/base/error.h"
#include "core/engine/model/encoder_io.h"

#include <c10/core/GradMode.h>
#include <cmath>

namespace fs = std::filesystem;

namespace tempera {

RewardModel RewardModel::load(const fs::path& folder, const Options& options) {
    RewardFormat format = read_reward_format(folder);
    if (options.form) format.form = *options.form;
    Encoder encoder = load_encoder(folder).model;
    move_encoder(encoder, options.device);
    RewardTokeniser tokeniser(folder, std::move(format), encoder.config);
    return RewardModel(std::move(encoder), std::move(tokeniser), options);
}

std::vector<double> RewardModel::score(std::span<const RewardText> texts) const {
    std::vector<EncoderInput> inputs;
    for (const RewardText& text : texts)
        inputs.push_back(tokeniser_.encode(text));
    return score_inputs(inputs);
}

std::vector<double> RewardModel::score_whole(std::span<const std::string> texts) const {
    std::vector<EncoderInput> inputs;
    for (const std::string& text : texts)
        inputs.push_back(tokeniser_.encode_whole(text));
    return score_inputs(inputs);
}

std::vector<double> RewardModel::score_inputs(std::span<const EncoderInput> inputs) const {
    std::vector<double> scores =
        tempera::score_inputs(encoder_, inputs, options_.batch_tokens, options_.device);
    for (std::size_t i = 0; i < scores.size(); ++i)
        if (!std::isfinite(scores[i]))
            fail(ErrorKind::numeric, "The reward model gives text " + std::to_string(i + 1)
                                         + " no finite score; its weights are damaged.");
    return scores;
}

std::vector<double> score_inputs(const Encoder& encoder, std::span<const EncoderInput> inputs,
                                 std::int64_t batch_tokens, at::Device device) {
    c10::NoGradGuard no_grad;
    std::vector<const EncoderInput*> all;
    for (const EncoderInput& input : inputs)
        all.push_back(&input);
    std::vector<double> scores(inputs.size());
    for (const auto& group : group_by_length(all, batch_tokens)) {
        std::vector<const EncoderInput*> members;
        for (std::size_t i : group)
            members.push_back(all[i]);
        at::Tensor values =
            encoder_scores(encoder, make_encoder_batch(members, encoder.config.pad_id, {}, device)).cpu();
        for (std::size_t k = 0; k < group.size(); ++k)
            scores[group[k]] = static_cast<double>(values[static_cast<std::int64_t>(k)].item<float>());
    }
    return scores;
}

} // namespace tempera
