#pragma once

#include "core/data/prompt_set.h"
#include "core/net/remote_sampler.h"
#include "core/recipe/answer_fields.h"

#include <map>

namespace tempera {

/// A model behind an endpoint that answers prompts as a recipe says.
class RemoteModel {
public:
    /// `reference` is "endpoint:NAME" or "endpoint:NAME/MODEL"; `chat_template` the recipe's, "model" = the
    /// server applies its own. Throws as referred_endpoint().
    RemoteModel(const std::string& reference, const SamplingFields& sampling,
                const std::string& chat_template, const KeyLookup& keys);

    /// The question for one prompt. Throws Error(bad_input) for a conversation that must go as raw text
    /// although no template says how.
    GenerationRequest request(const TaskPrompt& prompt, double temperature) const;
    /// What is put to the server: the raw text, or of a conversation what people read.
    std::string text_of(const TaskPrompt& prompt) const;

    RemoteSampler& sampler() { return sampler_; }
    const RemoteSampler& sampler() const { return sampler_; }
    const OpenAiClient& client() const { return client_; }
    /// What the run's progress says it does: as given, or that the server makes it wait.
    std::string phase(const char* usual) const;
    /// A sentence that names the fields which this server cannot be told, "" where there is none.
    std::string left_out() const;
    /// What the server was asked and what it cost, for the log.
    std::string usage_words() const;

private:
    bool as_chat(const TaskPrompt& prompt) const;
    Json extra() const;

    SamplingFields sampling_;
    std::string chat_template_;
    HttpClient http_;
    OpenAiClient client_;
    RemoteSampler sampler_;
};

/// Counts samples that a server did not give, by reason.
class DrawFailures {
public:
    void add(const std::string& sentence);
    std::int64_t count() const { return count_; }
    /// For the run's log: how many of `unit` and why; they are not scored.
    std::string words(const std::string& unit) const;

private:
    std::int64_t count_ = 0;
    std::map<std::string, std::int64_t> reasons_;
};

/// Replies that came but have no score, and what the judge said of the first.
class Unscored {
public:
    void add(const std::string& note);
    std::int64_t count() const { return count_; }
    /// "3 answers of 40 are left out, for they have no score. The judge on the first: ..."
    std::string words(const std::string& unit, std::size_t of) const;

private:
    std::int64_t count_ = 0;
    std::string first_;
};

/// The finish of a sample that could not be drawn: its text is what came instead.
inline constexpr const char* failed_finish = "failed";

} // namespace tempera
