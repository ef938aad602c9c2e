#pragma once

#include "core/base/json.h"
#include "core/data/prompt_set.h"
#include "core/store/records.h"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace tempera {

/// As the trainers read it: the turns of a conversation, else the text.
Json prompt_json(const TaskPrompt& prompt);

/// JSON lines, and how many.
struct RowText {
    std::string text;
    std::int64_t count = 0;
    void add(const Json& row);
};

/// One prompt with its scored answers, of which there is at least one.
struct ScoredPrompt {
    const TaskPrompt* prompt = nullptr;
    std::span<const Sample> answers;
};

/// What a draw of preference data is made into; the formats stand in pairs.h.
struct PairRows {
    RowText pairs, best, reward;
};

struct PairRules {
    double min_margin = 0, min_score = 0;
    std::int64_t off_topic = 0;
    std::uint64_t seed = 0;
};

/// The score of an answer, were it one to that prompt.
using AnswerScores =
    std::function<std::vector<double>(std::span<const std::pair<const TaskPrompt*, const Sample*>> asked)>;

/// `scores` is asked where rules.off_topic is above 0, once; a NaN of it is no score.
PairRows pair_rows(std::span<const ScoredPrompt> prompts, const PairRules& rules, const AnswerScores& scores);

} // namespace tempera
