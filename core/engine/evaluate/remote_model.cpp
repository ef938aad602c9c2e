#include "core/engine/evaluate/remote_model.h"

#include "core/base/clock.h"
#include "core/base/counted.h"
#include "core/base/error.h"
#include "core/base/joined.h"
#include "core/text/utf8.h"

#include <algorithm>
#include <cstdio>

namespace tempera {

namespace {

/// A run is worth more patience than a single question.
OpenAiOptions patient(const KeyLookup& keys) {
    OpenAiOptions options;
    options.retry.retries = 6;
    options.keys = keys;
    return options;
}

} // namespace

RemoteModel::RemoteModel(const std::string& reference, const SamplingFields& sampling,
                         const std::string& chat_template, const KeyLookup& keys)
    : sampling_(sampling), chat_template_(chat_template),
      client_(http_, referred_endpoint(reference), patient(keys)), sampler_(client_) {}

bool RemoteModel::as_chat(const TaskPrompt& prompt) const {
    if (sampling_.endpoint_api == "auto") return !prompt.messages.empty();
    return sampling_.endpoint_api == "chat";
}

std::string RemoteModel::text_of(const TaskPrompt& prompt) const {
    if (as_chat(prompt) || prompt.messages.empty()) return prompt.text;
    if (chat_template_ == "model")
        fail(
            ErrorKind::bad_input,
            "endpoint_api \"completions\" needs a chat_template for conversations: name that of the server's "
            "model, e.g. chatml, or choose endpoint_api \"chat\".");
    return prompt_text(prompt, ChatTemplate::named(chat_template_));
}

GenerationRequest RemoteModel::request(const TaskPrompt& prompt, double temperature) const {
    GenerationRequest request;
    if (as_chat(prompt))
        request.messages =
            prompt.messages.empty() ? std::vector<ChatMessage>{{"user", prompt.text}} : prompt.messages;
    else
        request.prompt = text_of(prompt);
    request.temperature = temperature;
    request.top_p = sampling_.top_p;
    request.max_tokens = sampling_.max_tokens;
    request.stop = sampling_.stop;
    request.logprobs = true;
    request.extra = extra();
    return request;
}

Json RemoteModel::extra() const {
    const std::string& dialect = client_.endpoint().dialect;
    if (dialect == "openai") return Json::object();
    // What is off has to be said too: servers have defaults of their own, or those of the model's files.
    Json fields = {{"min_p", sampling_.min_p}};
    fields["top_k"] = sampling_.top_k == 0 && dialect == "vllm" ? -1 : sampling_.top_k;
    fields[dialect == "vllm" ? "repetition_penalty" : "repeat_penalty"] = sampling_.repetition_penalty;
    return fields;
}

std::string RemoteModel::left_out() const {
    if (client_.endpoint().dialect != "openai") return "";
    std::vector<const char*> fields;
    if (sampling_.top_k > 0) fields.push_back("top_k");
    if (sampling_.min_p > 0) fields.push_back("min_p");
    if (sampling_.repetition_penalty != 1) fields.push_back("repetition_penalty");
    if (fields.empty()) return "";
    return "Endpoint \"" + client_.endpoint().name + "\" cannot be told " + joined(fields)
           + ", which are left out; where it can, set its dialect to vllm or llama.cpp.";
}

std::string RemoteModel::phase(const char* usual) const {
    return phase_or_wait(usual, sampler_.waits_until());
}

void Unscored::add(const std::string& note) {
    if (count_++ == 0) first_ = note;
}

std::string Unscored::words(const std::string& unit, std::size_t of) const {
    constexpr std::size_t longest = 300;
    std::string first = first_.substr(0, longest);
    if (first_.size() > longest) first = replace_invalid_utf8(first) + " ...";
    return counted(count_, unit) + " of " + std::to_string(of) + (count_ == 1 ? " is" : " are")
           + " left out, for " + (count_ == 1 ? "it has" : "they have") + " no score."
           + (first.empty() ? "" : " The judge on the first: " + first);
}

std::string RemoteModel::usage_words() const {
    const Usage used = client_.used();
    std::string words = "Endpoint \"" + client_.endpoint().name + "\" was sent "
                        + counted(used.requests, "request") + ": " + counted(used.prompt_tokens, "token")
                        + " of prompts, " + std::to_string(used.completion_tokens) + " of completions";
    if (used.cost > 0) {
        char cost[48];
        std::snprintf(cost, sizeof cost, ", cost %.4f", used.cost);
        words += cost;
    }
    return words + ".";
}

void DrawFailures::add(const std::string& sentence) {
    constexpr std::size_t most_reasons = 100;
    ++count_;
    if (reasons_.size() < most_reasons || reasons_.contains(sentence)) ++reasons_[sentence];
}

std::string DrawFailures::words(const std::string& unit) const {
    std::string words =
        counted(count_, unit) + " could not be drawn and " + (count_ == 1 ? "is" : "are") + " not scored. ";
    const auto most =
        std::ranges::max_element(reasons_, {}, [](const auto& reason) { return reason.second; });
    if (most != reasons_.end()) words += "Most often: " + most->first;
    return words;
}

} // namespace tempera
