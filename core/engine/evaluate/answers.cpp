#include "core/engine/evaluate/answers.h"

#include "core/base/error.h"
#include "core/engine/model/decoder_io.h"
#include "core/engine/train/machine.h"

#include <cmath>

namespace tempera {

namespace {

RewardFunction function_of(const JudgeFields& fields, const DeviceFields& device) {
    if (fields.judge != "reward_model") return make_reward_function(fields.judge, {});
    RewardOptions options;
    options.reward_model = fields.reward_model;
    options.device = select_device(device.device);
    return make_reward_function("model", options);
}

} // namespace

std::vector<TaskPrompt> prompts_of(const PromptFields& fields) {
    PromptSetOptions options;
    options.data = fields.data;
    options.split = fields.split;
    options.count = fields.prompts;
    options.data_seed = static_cast<std::uint64_t>(fields.data_seed);
    options.prompt_style = fields.prompt_style;
    options.system = fields.system;
    return make_prompt_set(options);
}

Answerer::Answerer(const std::filesystem::path& folder, const PromptFields& prompts,
                   const SamplingFields& sampling, const DeviceFields& device, int threads)
    : sampling_(sampling), decoder_(load_decoder(folder)),
      tokenizer_(Tokenizer::load(base_folder_of(folder))),
      style_(prompts.chat_template == "model" ? ChatTemplate::load(base_folder_of(folder))
                                              : ChatTemplate::named(prompts.chat_template)) {
    move_decoder(decoder_, select_device(device.device),
                 device.dtype == "bfloat16" ? at::kBFloat16 : at::kFloat);
    SamplerOptions options;
    options.slots = static_cast<int>(sampling.slots);
    options.threads = threads;
    options.max_tokens = sampling.max_tokens;
    options.stop = sampling.stop;
    if (!style_.end_of_turn().empty()) options.stop.push_back(style_.end_of_turn());
    sampler_ = std::make_unique<Sampler>(decoder_, tokenizer_, options);
}

void Answerer::answer(std::span<const TaskPrompt> prompts, double temperature, const Wanted& wanted,
                      const Receive& receive, const Sampler::Interrupted& interrupted) {
    std::size_t next = 0;
    auto source = [&](PromptRequest& request) {
        for (; next < prompts.size(); ++next) {
            for (int sample : wanted(next)) {
                SequenceRequest sequence;
                sequence.tag = static_cast<std::int64_t>(next << 16) + sample;
                sequence.settings = {temperature, sampling_.top_p, static_cast<int>(sampling_.top_k),
                                     sampling_.min_p, sampling_.repetition_penalty};
                sequence.stream = RandomStream(static_cast<std::uint64_t>(sampling_.seed), next,
                                               static_cast<std::uint32_t>(sample));
                request.sequences.push_back(std::move(sequence));
            }
            if (request.sequences.empty()) continue;
            const TaskPrompt& prompt = prompts[next];
            request.name = name_of(prompt, next);
            // A chat template writes the special tokens itself.
            request.ids = tokenizer_.encode(text_of(prompt), {.add_special_tokens = prompt.messages.empty()});
            ++next;
            return true;
        }
        return false;
    };
    sampler_->run(
        source,
        [&](DrawnSequence&& drawn) {
            const auto prompt = static_cast<std::size_t>(drawn.tag >> 16);
            receive(prompt, static_cast<int>(drawn.tag & 0xffff), std::move(drawn));
        },
        interrupted);
}

Judge::Judge(const JudgeFields& fields, const DeviceFields& device)
    : fields_(fields), function_(function_of(fields, device)) {}

void Judge::require_facts(std::span<const TaskPrompt> prompts) const {
    if (fields_.judge == "reward_model") return; // it judges anything
    std::vector<JudgedReply> empty;
    for (const TaskPrompt& prompt : prompts)
        empty.push_back({&prompt, {}, "eos"});
    const auto scores = score(empty);
    for (std::size_t i = 0; i < scores.size(); ++i)
        if (std::isnan(scores[i].value))
            fail(ErrorKind::bad_input, name_of(prompts[i], i) + " (\"" + prompts[i].text.substr(0, 60)
                                           + "\") says nothing that judge \"" + fields_.judge
                                           + "\" could check: choose another judge or other prompts.");
}

std::vector<RewardScore> Judge::score(std::span<const JudgedReply> replies) const {
    std::vector<RewardInput> inputs;
    for (const JudgedReply& reply : replies) {
        RewardInput input;
        input.prompt = reply.prompt->text;
        input.facts = reply.prompt->facts;
        input.completion = reply.text;
        input.finish = reply.finish;
        inputs.push_back(input);
    }
    return function_(inputs);
}

} // namespace tempera
