#include "core/engine/evaluate/answers.h"

#include "core/base/error.h"
#include "core/engine/model/decoder_io.h"
#include "core/engine/train/machine.h"
#include "core/task/constraints.h"
#include "core/task/countdown_verifier.h"

namespace tempera {

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
            request.name = "Prompt " + std::to_string(next);
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

Judge::Judge(const JudgeFields& fields, const DeviceFields& device) : fields_(fields) {
    if (fields.judge != "reward_model") return;
    RewardModel::Options options;
    options.device = select_device(device.device);
    model_ = RewardModel::load(fields.reward_model, options);
}

void Judge::require_facts(std::span<const TaskPrompt> prompts) const {
    if (model_) return; // it judges anything
    const std::string key = fields_.judge == "countdown" ? "nums" : "constraints";
    for (std::size_t i = 0; i < prompts.size(); ++i)
        if (prompts[i].facts.empty() || !parse_json(prompts[i].facts, "A prompt's facts").contains(key))
            fail(ErrorKind::bad_input, "Prompt " + std::to_string(i) + " (\"" + prompts[i].text.substr(0, 60)
                                           + "\") says nothing that judge \"" + fields_.judge
                                           + "\" could check: choose another judge or other prompts.");
}

std::vector<JudgeScore> Judge::score(std::span<const JudgedReply> replies) const {
    std::vector<JudgeScore> scores;
    if (model_) {
        std::vector<RewardText> texts;
        for (const JudgedReply& reply : replies)
            texts.push_back({reply.prompt->text, std::string(reply.text)});
        for (double score : model_->score(texts))
            scores.push_back({score, ""});
        return scores;
    }
    for (const JudgedReply& reply : replies) {
        if (fields_.judge == "countdown") {
            const Json facts = parse_json(reply.prompt->facts, "A prompt's facts");
            Verdict verdict = verify(facts["nums"].get<std::vector<std::int64_t>>(),
                                     facts["target"].get<std::int64_t>(), reply.text);
            scores.push_back({verdict.score, std::move(verdict.reason)});
        } else {
            ConstraintVerdict verdict = check_constraints(reply.prompt->facts, reply.text);
            scores.push_back({verdict.score, std::move(verdict.reason)});
        }
    }
    return scores;
}

} // namespace tempera
