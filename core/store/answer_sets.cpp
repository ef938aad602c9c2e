#include "core/store/answer_sets.h"

#include "core/data/row_file.h"
#include "core/stats/best_and_worst.h"

#include <cmath>

namespace fs = std::filesystem;

namespace tempera {

namespace {

struct ScoredAnswer {
    std::string text;
    double score = 0;
    std::string finish;
};

/// A prompt (a text, or a list of turns) and its answers; those without a score are left out.
struct AnsweredPrompt {
    Json prompt;
    std::vector<ScoredAnswer> answers;

    void add(const std::string& text, double score, const std::string& finish) {
        if (std::isfinite(score)) answers.push_back({text, score, finish});
    }
    /// In the form of the prompt.
    Json answer(const ScoredAnswer& answer) const {
        if (!prompt.is_array()) return answer.text;
        return Json::array({{{"role", "assistant"}, {"content", answer.text}}});
    }
};

using ReceivePrompt = std::function<void(const AnsweredPrompt&)>;

/// Calls `receive` for every row of a file that the run left, where it did.
void for_each_row(const fs::path& file, const ReceiveRow& receive) {
    std::error_code ignored;
    if (!fs::is_regular_file(file, ignored)) return;
    RowFile rows(file);
    while (auto row = rows.next()) {
        if (!row->problem.empty()) throw RowError(RowFault::unreadable, row->problem);
        receive(row->value);
    }
}

/// What was asked, in the order of the prompts' numbers; nothing where the stored texts are all there is.
std::vector<Json> prompts_as_turns(const fs::path& run_folder) {
    std::vector<Json> prompts;
    for_each_row(run_folder / "artifacts" / "_prompts.jsonl",
                 [&](const Json& row) { prompts.push_back(row.value("prompt", Json())); });
    return prompts;
}

void for_each_sampled(const fs::path& run_folder, const RunReader& run, const AnswerSetOptions& options,
                      const ReceivePrompt& receive) {
    const auto temperatures = run.sampled_temperatures();
    const auto turns = prompts_as_turns(run_folder);
    for (const auto& prompt : run.prompts()) {
        const auto at = static_cast<std::size_t>(prompt.index);
        const bool known = prompt.index >= 0 && at < turns.size() && turns[at].is_array();
        AnsweredPrompt answered{known ? turns[at] : Json(prompt.text), {}};
        for (double temperature : temperatures) {
            if (options.temperature && temperature != *options.temperature) continue;
            for (const auto& sample : run.samples(temperature, prompt.index))
                if (options.n == 0 || sample.sample_index < options.n)
                    answered.add(sample.text, sample.score, sample.finish);
        }
        receive(answered);
    }
}

void for_each_rolled_out(const RunReader& run, const AnswerSetOptions& options,
                         const ReceivePrompt& receive) {
    for (std::int64_t step : run.rollout_steps())
        for (const auto& group : run.rollouts(step)) {
            AnsweredPrompt answered{group.prompt, {}};
            for (const auto& sample : group.samples)
                if (options.n == 0 || sample.sample_index < options.n)
                    answered.add(sample.text, sample.reward, sample.finish);
            receive(answered);
        }
}

void for_each_answered(const fs::path& run_folder, const RunReader& run, const AnswerSetOptions& options,
                       const ReceivePrompt& receive) {
    if (run.sample_count() > 0) return for_each_sampled(run_folder, run, options, receive);
    if (run.comparison_count() == 0) return for_each_rolled_out(run, options, receive);
    for (const auto& comparison : run.comparisons()) {
        AnsweredPrompt answered{comparison.prompt, {}};
        answered.add(comparison.base.text, comparison.base.score, comparison.base.finish);
        answered.add(comparison.tuned.text, comparison.tuned.score, comparison.tuned.finish);
        receive(answered);
    }
}

/// The rows of a set that the run made itself, where it is what the options ask for; returns how many.
std::int64_t take_artifact(const fs::path& file, const AnswerSetOptions& options, const ReceiveRow& receive) {
    std::int64_t count = 0;
    if (options.temperature || options.n > 0 || options.min_score) return count;
    for_each_row(file, [&](const Json& row) {
        ++count;
        receive(row);
    });
    return count;
}

} // namespace

std::int64_t for_each_preference(const fs::path& run_folder, const RunReader& run,
                                 const AnswerSetOptions& options, const ReceiveRow& receive) {
    std::int64_t count = take_artifact(run_folder / "artifacts" / "pairs.jsonl", options, receive);
    if (count > 0) return count;
    for_each_answered(run_folder, run, options, [&](const AnsweredPrompt& answered) {
        if (answered.answers.empty()) return;
        const auto [best_at, worst_at] = best_and_worst(answered.answers);
        const ScoredAnswer &best = answered.answers[best_at], &worst = answered.answers[worst_at];
        if (best.score <= worst.score) return;
        ++count;
        receive({{"prompt", answered.prompt},
                 {"chosen", answered.answer(best)},
                 {"rejected", answered.answer(worst)},
                 {"score_chosen", best.score},
                 {"score_rejected", worst.score}});
    });
    return count;
}

std::int64_t for_each_best(const fs::path& run_folder, const RunReader& run, const AnswerSetOptions& options,
                           const ReceiveRow& receive) {
    std::int64_t count = take_artifact(run_folder / "artifacts" / "best.jsonl", options, receive);
    if (count > 0) return count;
    for_each_answered(run_folder, run, options, [&](const AnsweredPrompt& answered) {
        if (answered.answers.empty()) return;
        const ScoredAnswer& best = answered.answers[best_and_worst(answered.answers).best];
        if (options.min_score && best.score < *options.min_score) return;
        ++count;
        receive({{"prompt", answered.prompt}, {"completion", answered.answer(best)}, {"score", best.score}});
    });
    return count;
}

} // namespace tempera
