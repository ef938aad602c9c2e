#pragma once

#include "core/store/record_json.h"
#include "core/store/records.h"
#include "ui/models/scoring.h"

#include <QString>

#include <optional>
#include <utility>
#include <vector>

namespace tempera {

/// What a card shows of one completion, wherever it was drawn.
struct Completion {
    enum class Verdict { right, wrong, none, plain, above, below };

    int index = 0;   ///< from 0; pins go by it
    QString caption; ///< what it is called: "#1", "base"
    Verdict verdict = Verdict::plain;
    QString verdict_words; ///< for a screen reader: "right"
    QString score;
    QString facts;                                    ///< one line: tokens, finish ...
    std::vector<std::pair<QString, QString>> numbers; ///< small table: what and how much
    QString text;
    bool in_think = false; ///< the prompt ends inside <think>
    QString answer;        ///< one line in the mono font, "" = none
    QString note;          ///< the verifier's sentence

    std::string model_field = "model"; ///< of the recipe: whose tokens they are
    std::vector<std::int32_t> token_ids;
    std::vector<float> logprobs;     ///< per token, empty = unknown
    std::vector<float> ref_logprobs; ///< per token, empty = there is no reference
    bool masked = false;
    std::optional<double> advantage; ///< of a training rollout

    bool operator==(const Completion&) const = default;
};

Completion completionOf(const Sample& sample, const PromptRecord& prompt, Scoring scoring);
/// `kl_coef`: what of a completion's KL is taken off its reward before baselines and advantages are made.
Completion completionOf(const RolloutSample& sample, const RolloutGroup& group, double kl_coef);
/// `other`: what the other side scored; the higher one is the winner.
Completion completionOf(const ComparedReply& reply, Side side, double other);

/// The sample the verifier picks from the first n: the highest score, the earliest of equals; -1 where there
/// is none.
int chosenOf(const std::vector<Sample>& samples, int n);

/// A prompt and one of its completions for a text document.
QString markdownOf(const QString& title, const QString& prompt, const Completion& completion);

} // namespace tempera
