#pragma once

#include "core/judge/ask.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tempera {

/// How a judge behind an endpoint is asked, and how its reply is read (core/judge/reading.h).
enum class JudgeStyle {
    nemotron, ///< question and answer as a conversation; a reward model replies "reward:-18.73"
    score,    ///< "rubric-score": a rubric asks a chat model for a grade from 1 to 10
    pair      ///< "rubric-pair": a rubric asks which of two answers is better, in both orders
};
/// Throws Error(bad_input) for another name.
JudgeStyle judge_style_from(std::string_view name);

/// What a judge said of an answer.
struct JudgeScore {
    double value = 0; ///< NaN = none: left out wherever scores are counted
    std::string note; ///< the judge's words, or why there is no score with the raw reply; at most 2,000 bytes
};

/// An answer to a question, or two (`other` with JudgeStyle::pair). The texts outlive the call.
struct JudgeQuery {
    std::string_view question;
    std::string_view answer;
    std::string_view other;
    /// The turns that end with the question, where there are more; then they are asked about instead of it:
    /// as turns (nemotron), or as text within a rubric.
    std::span<const ChatMessage> conversation = {};
};

/// What a judge is asked of a query: one conversation, or two with the answers swapped.
std::vector<std::vector<ChatMessage>> conversations_of(JudgeStyle style, const JudgeQuery& query);

/// A judge behind an endpoint. No question is paid for twice: replies are kept in a ReplyStore, and read
/// anew each time.
class RemoteJudge {
public:
    RemoteJudge(Asker asker, JudgeStyle style, const std::filesystem::path& store)
        : asker_(std::move(asker)), style_(style), store_(store) {}

    /// In questions; also told every second in which none is answered.
    using OnProgress = std::function<void(std::size_t done, std::size_t total)>;
    /// One score each, in order: a reward, or a grade. Empty where a stop came first. Throws as ask_all().
    std::vector<JudgeScore> score(std::span<const JudgeQuery> queries, const StopToken& stop,
                                  const OnProgress& progress = {});
    /// Scores of `answer`, in order: 1 where both orders prefer it, 0 where both prefer `other`, else 0.5: a
    /// judge that contradicts itself says nothing. NaN where an order has no readable choice. Equal answers
    /// are 0.5 unasked. Empty where a stop came first. Throws as ask_all().
    std::vector<JudgeScore> compare(std::span<const JudgeQuery> queries, const StopToken& stop,
                                    const OnProgress& progress = {});

    JudgeStyle style() const { return style_; }
    const Asker& asker() const { return asker_; }
    const AskTally& tally() const { return tally_; }

private:
    std::vector<std::optional<EndpointReply>> ask(std::span<const JudgeQuery> queries, const StopToken& stop,
                                                  const OnProgress& progress);

    Asker asker_;
    JudgeStyle style_;
    ReplyStore store_;
    AskTally tally_;
};

} // namespace tempera
