#include "core/engine/evaluate/pair_rows.h"

#include "core/base/random.h"
#include "core/stats/best_and_worst.h"

#include <algorithm>

namespace tempera {

namespace {

constexpr std::uint32_t off_topic_stream = 1;

Json turn_json(const std::string& role, const std::string& content) {
    return {{"role", role}, {"content", content}};
}

Json answer_json(const TaskPrompt& prompt, const Sample& sample) {
    if (prompt.messages.empty()) return sample.text;
    return Json::array({turn_json("assistant", sample.text)});
}

Json pair_json(const TaskPrompt& prompt, const Sample& chosen, const Sample& rejected,
               double rejected_score) {
    return {{"prompt", prompt_json(prompt)},
            {"chosen", answer_json(prompt, chosen)},
            {"rejected", answer_json(prompt, rejected)},
            {"score_chosen", chosen.score},
            {"score_rejected", rejected_score}};
}

/// An answer to another prompt beside those of prompt `at`.
struct Stranger {
    std::size_t at = 0;
    const Sample* answer = nullptr;
};

/// `count` for every prompt, each of another prompt; fewer where there are not so many.
std::vector<Stranger> strangers(std::span<const ScoredPrompt> prompts, const PairRules& rules) {
    std::vector<Stranger> list;
    const auto all = static_cast<std::int64_t>(prompts.size());
    for (std::size_t at = 0; at < prompts.size(); ++at) {
        RandomStream random(rules.seed, at, off_topic_stream);
        std::int64_t left = rules.off_topic;
        for (const std::int64_t other : shuffled_indices(all, random)) {
            const ScoredPrompt& from = prompts[static_cast<std::size_t>(other)];
            if (left == 0) break;
            if (from.prompt->text == prompts[at].prompt->text) continue;
            list.push_back(
                {at, &from.answers[random.below(static_cast<std::uint32_t>(from.answers.size()))]});
            --left;
        }
    }
    return list;
}

} // namespace

Json prompt_json(const TaskPrompt& prompt) {
    if (prompt.messages.empty()) return prompt.text;
    Json turns = Json::array();
    for (const ChatMessage& message : prompt.messages)
        turns.push_back(turn_json(message.role, message.content));
    return turns;
}

void RowText::add(const Json& row) {
    text += to_json_line(row) + "\n";
    ++count;
}

PairRows pair_rows(std::span<const ScoredPrompt> prompts, const PairRules& rules,
                   const AnswerScores& scores) {
    PairRows rows;
    const auto better = [&](double high, double low) { return high > low && high - low >= rules.min_margin; };
    std::vector<Stranger> others;
    std::vector<double> other_scores;
    if (rules.off_topic > 0) {
        others = strangers(prompts, rules);
        std::vector<std::pair<const TaskPrompt*, const Sample*>> asked;
        for (const Stranger& other : others)
            asked.emplace_back(prompts[other.at].prompt, other.answer);
        other_scores = scores(asked);
    }
    std::size_t next = 0; // of the others, which stand in the order of their prompts
    for (std::size_t at = 0; at < prompts.size(); ++at) {
        const auto& [prompt, answers] = prompts[at];
        const auto [best_at, worst_at] = best_and_worst(answers);
        const Sample &best = answers[best_at], &worst = answers[worst_at];
        if (best.score >= rules.min_score)
            rows.best.add({{"prompt", prompt_json(*prompt)},
                           {"completion", answer_json(*prompt, best)},
                           {"score", best.score}});
        if (better(best.score, worst.score)) {
            const Json row = pair_json(*prompt, best, worst, worst.score);
            rows.pairs.add(row);
            rows.reward.add(row);
        }
        for (; next < others.size() && others[next].at == at; ++next)
            if (better(best.score, other_scores[next]))
                rows.reward.add(pair_json(*prompt, best, *others[next].answer, other_scores[next]));
    }
    return rows;
}

} // namespace tempera
